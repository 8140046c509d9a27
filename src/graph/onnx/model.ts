import { create, toBinary } from '@bufbuild/protobuf';
import { bytesPer, sizeOf, type DType, type StoredDType, type Tensor } from '../../tensor/index.js';
import type { Graph, Param } from '../graph.js';
import type { OpAttrs, OpName } from '../ops.js';
import type { Dim, ValueId, ValueType } from '../value.js';
import {
  AttributeProto_AttributeType as Kind,
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation,
  TensorProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
  type AttributeProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from './generated/onnx_pb.js';
import { elementType, lowering, type Lowering, type OnnxAttribute, type OnnxNode } from './nodes.js';

/** Where the numbers of a weight are. */
export type Storage =
  /** In a file beside the model: `location` is relative to the folder that the runtime is told. */
  | {
      readonly kind: 'external';
      readonly dtype: StoredDType;
      readonly location: string;
      readonly offset: number;
      readonly length: number;
    }
  /** In the model itself. */
  | { readonly kind: 'inline'; readonly tensor: Tensor<'float32'> }
  /** Given at each run, under the weight's id. */
  | { readonly kind: 'input' };

export interface OnnxOptions {
  readonly target: 'standard' | 'kernels';
  readonly storage: (param: Param) => Storage;
  /** Names of inputs and outputs: the graph's own names (for files), or value ids (the default: equal graphs are equal bytes). */
  readonly names?: 'graph' | 'ids';
}

const attribute = ([name, value]: readonly [string, OnnxAttribute]): AttributeProto => {
  if (typeof value === 'string')
    return create(AttributeProtoSchema, { name, type: Kind.STRING, s: new TextEncoder().encode(value) });
  if (typeof value === 'number') return create(AttributeProtoSchema, { name, type: Kind.INT, i: BigInt(value) });
  return create(AttributeProtoSchema, { name, type: Kind.INTS, ints: value.map(BigInt) });
};

const nodeProto = (node: OnnxNode): NodeProto =>
  create(NodeProtoSchema, {
    opType: node.op,
    domain: node.domain ?? '',
    input: [...node.inputs],
    output: node.unread === undefined ? [node.output] : [node.unread, node.output],
    attribute: Object.entries(node.attributes).map(attribute),
  });

const dimProto = (dim: Dim) =>
  create(TensorShapeProto_DimensionSchema, {
    value: typeof dim === 'number' ? { case: 'dimValue', value: BigInt(dim) } : { case: 'dimParam', value: dim },
  });

const valueInfo = (name: string, type: ValueType): ValueInfoProto =>
  create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, {
      value: {
        case: 'tensorType',
        value: create(TypeProto_TensorSchema, {
          elemType: elementType[type.dtype],
          shape: create(TensorShapeProtoSchema, { dim: type.shape.map(dimProto) }),
        }),
      },
    }),
  });

interface RawTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: ArrayBufferView;
}

const bytesOf = (data: ArrayBufferView): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

const rawTensor = (name: string, { dtype, shape, data }: RawTensor): TensorProto =>
  create(TensorProtoSchema, { name, dims: shape.map(BigInt), dataType: elementType[dtype], rawData: bytesOf(data) });

const numbers: { readonly [D in DType]: (values: readonly number[]) => ArrayBufferView } = {
  float32: (values) => Float32Array.from(values),
  float64: (values) => Float64Array.from(values),
  int64: (values) => BigInt64Array.from(values, BigInt),
  bool: (values) => Uint8Array.from(values),
};

const externalTensor = (param: Param, storage: Storage & { kind: 'external' }): TensorProto => {
  const entries = { location: storage.location, offset: String(storage.offset), length: String(storage.length) };
  return create(TensorProtoSchema, {
    name: param.id,
    dims: param.type.shape.map((d) => BigInt(d)),
    dataType: elementType[storage.dtype],
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: Object.entries(entries).map(([key, value]) => create(StringStringEntryProtoSchema, { key, value })),
  });
};

/** Makes the parts of one ONNX graph. */
class Lowered {
  readonly nodes: OnnxNode[] = [];
  readonly initializers = new Map<string, TensorProto>();
  readonly inputs: ValueInfoProto[] = [];
  /** Constants of the graph, by the value they are. */
  readonly #aliases = new Map<ValueId, string>();
  /** Weights that are stored as something else than float32. */
  readonly #narrow = new Map<ValueId, Param>();

  constructor(
    readonly graph: Graph,
    readonly options: OnnxOptions,
  ) {
    const named = options.names === 'graph';
    for (const input of graph.inputs) {
      const name = named ? input.name : input.id;
      if (named) this.#aliases.set(input.id, name);
      this.inputs.push(valueInfo(name, input.type));
    }
    for (const param of graph.params) this.#param(param);
    for (const node of graph.nodes) this.#node(node.op, node.attrs, node);
  }

  name(id: ValueId): string {
    return this.#aliases.get(id) ?? id;
  }

  #param(param: Param): void {
    const storage = this.options.storage(param);
    if (storage.kind === 'input') this.inputs.push(valueInfo(param.id, param.type));
    else if (storage.kind === 'inline') this.initializers.set(param.id, rawTensor(param.id, storage.tensor));
    else {
      this.initializers.set(param.id, externalTensor(param, storage));
      if (storage.dtype !== 'float32') this.#narrow.set(param.id, param);
    }
  }

  /** A weight that is stored narrower (or wider) is widened where it is read; of a table, only the rows that were read. */
  widened(id: ValueId): string {
    if (!this.#narrow.has(id)) return this.name(id);
    const name = `${id}:float32`;
    if (!this.nodes.some((n) => n.output === name)) this.#cast(id, name);
    return name;
  }

  #cast(from: string, to: string): void {
    this.nodes.push({ op: 'Cast', inputs: [from], output: to, attributes: { to: elementType.float32 } });
  }

  #node(op: OpName, attrs: OpAttrs[OpName], { id, inputs }: { id: ValueId; inputs: readonly ValueId[] }): void {
    if (op === 'Constant') {
      this.#aliases.set(id, this.#constant(attrs as OpAttrs['Constant']));
      return;
    }
    const [table, ...rest] = inputs;
    const rowsOnly = op === 'Gather' && table !== undefined && this.#narrow.has(table);
    const names = rowsOnly ? [table, ...rest.map((i) => this.name(i))] : inputs.map((i) => this.widened(i));
    const output = rowsOnly ? `${id}:rows` : id;
    const row = lowering[op] as (attrs: object, l: Lowering) => OnnxNode[];
    this.nodes.push(
      ...row(attrs, {
        inputs: names,
        output,
        target: this.options.target,
        integers: (v) => this.#integers(v),
        constant: (c) => this.#constant(c),
      }),
    );
    if (rowsOnly) this.#cast(output, id);
  }

  #integers(values: readonly number[]): string {
    return this.#constant({ dtype: 'int64', shape: [values.length], axes: [''], values });
  }

  #constant({ dtype, shape, values }: OpAttrs['Constant']): string {
    const name = `${dtype}[${shape.join()}]:${values.map((v) => (Object.is(v, -0) ? '-0' : v)).join()}`;
    if (!this.initializers.has(name))
      this.initializers.set(name, rawTensor(name, { dtype, shape, data: numbers[dtype](values) }));
    return name;
  }
}

/** The name, in the ONNX model with `names: 'ids'`, of a graph's output. */
export const outputName = (graph: Graph, value: ValueId): string => {
  const node = graph.nodes.find((n) => n.id === value);
  return node && node.op !== 'Constant' ? value : `out:${value}`;
};

/** An output that is an input or a weight, or is asked for under another name, needs a node that makes it. */
const outputNodes = (lowered: Lowered, names: 'graph' | 'ids'): { nodes: OnnxNode[]; infos: ValueInfoProto[] } => {
  const types = new Map(
    [...lowered.graph.nodes, ...lowered.graph.inputs, ...lowered.graph.params].map((v) => [v.id, v.type]),
  );
  const nodes: OnnxNode[] = [];
  const infos = new Map<string, ValueInfoProto>();
  for (const { name, value } of lowered.graph.outputs) {
    const from = lowered.widened(value);
    const to = names === 'graph' ? name : outputName(lowered.graph, value);
    if (to !== from && !infos.has(to)) nodes.push({ op: 'Identity', inputs: [from], output: to, attributes: {} });
    const type = types.get(value);
    if (type) infos.set(to, valueInfo(to, type));
  }
  return { nodes, infos: [...infos.values()] };
};

/** A graph as an ONNX model (opset 20), serialised. */
export const toOnnx = (graph: Graph, options: OnnxOptions): Uint8Array => {
  const lowered = new Lowered(graph, options);
  const names = options.names ?? 'ids';
  const out = outputNodes(lowered, names);
  const nodes = [...lowered.nodes, ...out.nodes];
  const domains = new Set(nodes.map((n) => n.domain ?? ''));
  const opsets = [...domains].map((domain) => ({ domain, version: domain === '' ? 20n : 1n }));
  if (!domains.has('')) opsets.push({ domain: '', version: 20n });
  const model = create(ModelProtoSchema, {
    irVersion: 9n,
    producerName: 'cutaway',
    opsetImport: opsets.map((o) => create(OperatorSetIdProtoSchema, o)),
    graph: create(GraphProtoSchema, {
      name: names === 'graph' ? graph.name : 'graph',
      node: nodes.map(nodeProto),
      input: lowered.inputs,
      output: out.infos,
      initializer: [...lowered.initializers.values()],
    }),
  });
  return toBinary(ModelProtoSchema, model);
};

/** Bytes that the weights take once widened to float32. */
export const float32Bytes = (params: readonly Param[]): number =>
  params.reduce((sum, p) => sum + sizeOf(p.type.shape.map(Number)) * bytesPer.float32, 0);
