import { createRequire } from 'node:module';
import ts from 'typescript';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { officialProblemsOf } from './official-schema.js';

/**
 * The protocol as its package for TypeScript declares it. Besides the protocol's own schema, which allows what it does
 * not know, this tells of fields that no declaration has.
 */
const file = createRequire(import.meta.url).resolve('@vscode/debugprotocol/lib/debugProtocol.d.ts');
const program = ts.createProgram([file], { strict: true, noLib: true });
const checker = program.getTypeChecker();

const declarations = new Map<string, ts.InterfaceDeclaration>();
const visit = (node: ts.Node): void => {
  if (ts.isInterfaceDeclaration(node)) declarations.set(node.name.text, node);
  ts.forEachChild(node, visit);
};
program.getSourceFiles().forEach(visit);

const kindOf = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value);

const isArray = (type: ts.Type): boolean => checker.typeToString(type).endsWith('[]');

/** What is wrong with a value that should be of a type, as `path: why`. */
const check = (value: unknown, node: ts.TypeNode, path: string): readonly string[] => {
  if (ts.isParenthesizedTypeNode(node)) return check(value, node.type, path);
  if (ts.isUnionTypeNode(node)) {
    const tried = node.types.map((t) => check(value, t, path));
    return tried.some((problems) => problems.length === 0) ? [] : (tried.at(-1) ?? []);
  }
  if (ts.isArrayTypeNode(node)) {
    if (!Array.isArray(value)) return [`${path}: an array, not ${kindOf(value)}`];
    return value.flatMap((item, i) => check(item, node.elementType, `${path}[${i}]`));
  }
  if (ts.isLiteralTypeNode(node)) {
    const text = node.literal.getText().replaceAll("'", '"');
    return JSON.stringify(value) === text ? [] : [`${path}: ${text}, not ${JSON.stringify(value)}`];
  }
  if (ts.isTypeLiteralNode(node)) return checkMembers(value, node.members, path);
  if (ts.isTypeReferenceNode(node)) return checkNamed(value, node, path);
  return checkKeyword(value, node, path);
};

const keywords = new Map<ts.SyntaxKind, string>([
  [ts.SyntaxKind.StringKeyword, 'string'],
  [ts.SyntaxKind.NumberKeyword, 'number'],
  [ts.SyntaxKind.BooleanKeyword, 'boolean'],
]);

const checkKeyword = (value: unknown, node: ts.TypeNode, path: string): readonly string[] => {
  const wanted = keywords.get(node.kind);
  if (wanted === undefined) return [];
  return kindOf(value) === wanted ? [] : [`${path}: a ${wanted}, not ${kindOf(value)}`];
};

const checkNamed = (value: unknown, node: ts.TypeReferenceNode, path: string): readonly string[] => {
  const name = node.typeName.getText();
  const declared = declarations.get(name);
  if (declared) return checkInterface(value, declared, path);
  const type = checker.getTypeAtLocation(node);
  const allowed = type.isUnion() ? type.types.flatMap((t) => (t.isStringLiteral() ? [t.value] : [])) : [];
  if (isArray(type) || allowed.length === 0 || allowed.includes(String(value))) return [];
  return typeof value === 'string' ? [] : [`${path}: one of ${allowed.join(', ')}`];
};

const checkInterface = (value: unknown, declared: ts.InterfaceDeclaration, path: string): readonly string[] => {
  const above = (declared.heritageClauses ?? []).flatMap((c) => c.types.map((t) => declarations.get(t.getText())));
  const own = new Set(declared.members.map((m) => m.name?.getText()));
  const inherited = above.flatMap((a) => (a ? checkInterface(value, a, path) : []));
  const overridden = inherited.filter((p) => ![...own].some((name) => p.startsWith(`${path}.${name ?? ''}:`)));
  return [...overridden, ...checkMembers(value, declared.members, path)];
};

const checkMembers = (value: unknown, members: ts.NodeArray<ts.TypeElement>, path: string): readonly string[] => {
  if (kindOf(value) !== 'object') return [`${path}: an object, not ${kindOf(value)}`];
  const fields = value as Readonly<Record<string, unknown>>;
  return members.flatMap((member) => {
    if (!ts.isPropertySignature(member) || !member.type) return [];
    const name = member.name.getText().replaceAll(/['"]/g, '');
    if (fields[name] === undefined) return member.questionToken ? [] : [`${path}.${name}: missing`];
    return check(fields[name], member.type, `${path}.${name}`);
  });
};

/** Fields that no declaration of this message knows. */
const strangers = (value: unknown, declared: ts.InterfaceDeclaration, path: string): readonly string[] => {
  const body = membersOf(declared).find((m) => m.name?.getText() === 'body');
  if (!body || !ts.isPropertySignature(body) || !body.type || !ts.isTypeLiteralNode(body.type)) return [];
  const known = new Set(body.type.members.map((m) => m.name?.getText()));
  const given = Object.keys((value as { body?: object }).body ?? {});
  return given.filter((name) => !known.has(name)).map((name) => `${path}.body.${name}: unknown`);
};

const membersOf = (declared: ts.InterfaceDeclaration): readonly ts.TypeElement[] => declared.members;

const capitalised = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

/** What is wrong with a message of a conversation; requests that are wrong on purpose are not asked about. */
export const problemsOf = (
  message: DebugProtocol.ProtocolMessage,
  all: readonly DebugProtocol.ProtocolMessage[],
): readonly string[] => {
  if (message.type === 'event') {
    const { event } = message as DebugProtocol.Event;
    return checkAs(message, `${capitalised(event)}Event`);
  }
  if (message.type !== 'response') return [];
  const { success, command, request_seq: of } = message as DebugProtocol.Response;
  const asked = all.some((m) => m.seq === of && m.type === 'request');
  const name = success ? `${capitalised(command)}Response` : 'ErrorResponse';
  return [...(asked ? [] : [`${command}: answers no request`]), ...checkAs(message, name)];
};

/** What is wrong with a request: what a client of ours sends should be right, too. */
export const requestProblemsOf = (message: DebugProtocol.Request): readonly string[] =>
  checkAs(message, `${capitalised(message.command)}Request`);

const checkAs = (message: unknown, name: string): readonly string[] => {
  const declared = declarations.get(name);
  if (!declared) return [`${name}: the protocol has no such message`];
  return [
    ...officialProblemsOf(message, name),
    ...checkInterface(message, declared, name),
    ...strangers(message, declared, name),
  ];
};
