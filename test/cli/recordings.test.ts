import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, truncateSync, writeFileSync, copyFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openWeights } from '../../src/formats/index.node.js';
import { runInput, type InspectResult, type ListResult, type RunResult } from '../../src/protocol/index.js';
import { run } from '../../src/service/index.js';
import { pythonOrSkip } from '../support/python.js';
import { scratch } from './broken.js';
import { cutaway, gpt2, json, llama, refused, tiny } from './command.js';

const at = (name: string): string => path.join(scratch, name);
const prompt = ['--prompt', 't5 t17 t42 t5'];
const edit = ['--edit', 'scale blocks.0.attn.z[head=1] by 0'];
const sites = 'blocks.*.attn.pattern,blocks.1.resid_post,logits';
const file = at('run.cutrec');
const quietly = (...args: readonly string[]) => json(...args, '--quiet');

/** Numbers that `--out` writes for a request, by name. */
const numbers = async (...args: readonly string[]): Promise<Map<string, number[]>> => {
  const out = at('numbers.safetensors');
  await quietly('inspect', ...args, '--out', out);
  const weights = await openWeights(out);
  const all = new Map<string, number[]>();
  for (const name of weights.names()) all.set(name, [...(await weights.read(name)).data]);
  await weights.close();
  return all;
};

let ran: RunResult;
beforeAll(async () => {
  const request = [...prompt, ...edit, '--max-new-tokens', '4', '--record', file, '--record-sites', sites];
  ran = (await quietly('run', gpt2, ...request)) as RunResult;
});

describe('a recording of run', () => {
  it('is listed: model, prompt, tokens, edits, and at which steps there are values', async () => {
    const { model, recording, sites: there } = (await quietly('list', file)) as ListResult;
    expect(model).toEqual(ran.model);
    expect(recording).toMatchObject({
      ...{ verb: 'run', complete: true, redacted: false, tokens: ran.tokens, made: 4, stop: 'length' },
      edits: ['scale blocks.0.attn.z[head=1] by 0'],
    });
    expect(recording?.generated?.map((t) => t.id)).toEqual(ran.generated.ids);
    expect(there?.map((s) => s.name)).toEqual([
      ...['blocks.0.attn.pattern', 'blocks.1.attn.pattern', 'blocks.1.resid_post', 'blocks.2.attn.pattern', 'logits'],
    ]);
    expect(recording?.steps['blocks.1.resid_post']).toEqual([0, 1, 2, 3]);
    expect((await cutaway('list', file)).stdout).toContain('0..3');
  });

  it('has in the prefill the bits that the model has', async () => {
    const chosen = ['--sites', 'blocks.*.attn.pattern,blocks.1.resid_post'];
    expect(await numbers(file, ...chosen)).toEqual(await numbers(gpt2, ...prompt, ...edit, ...chosen));
  });

  it('has in a later step the row of the new token, as a run over the whole sequence has it', async () => {
    const ids = [...ran.tokens.map((t) => t.id), ...ran.generated.ids.slice(0, 2)].join(',');
    const recorded = await numbers(file, '--sites', 'blocks.1.resid_post', '--step', '2');
    const whole = await numbers(gpt2, '--ids', ids, ...edit, '--sites', 'blocks.1.resid_post[position=-1]');
    expect(recorded.get('blocks.1.resid_post')).toHaveLength(24);
    for (const [i, x] of (recorded.get('blocks.1.resid_post') ?? []).entries())
      expect(x).toBeCloseTo(whole.get('blocks.1.resid_post')?.[i] ?? NaN, 4);
  });

  it('takes selectors, by positions of the whole sequence', async () => {
    const part = await numbers(file, '--sites', 'blocks.1.attn.pattern[head=2, query=5, key=0..1]', '--step', '2');
    const all = await numbers(file, '--sites', 'blocks.1.attn.pattern', '--step', '2');
    expect(part.get('blocks.1.attn.pattern')).toEqual(all.get('blocks.1.attn.pattern')?.slice(12, 14));
    const wrong = ['--sites', 'blocks.1.attn.pattern[query=1]', '--step', '2'];
    expect(await refused('SITE_NOT_CAPTURED', 'inspect', file, ...wrong)).toContain('query 5');
  });

  it('says of a value that it does not have which there are', async () => {
    const told = await refused('SITE_NOT_CAPTURED', 'inspect', file, '--sites', 'blocks.0.mlp_out');
    expect(told).toContain('blocks.1.resid_post');
    const late = await refused('SITE_NOT_CAPTURED', 'inspect', file, '--sites', 'logits', '--step', '9');
    expect(late).toContain('at step 0, 1, 2, 3');
  });

  it.each([
    ['a prompt', ['inspect', file, '--sites', 'logits', ...prompt]],
    ['an edit', ['inspect', file, '--sites', 'logits', ...edit]],
    ['a listing', ['list', file, '--listing']],
    ['a step of a model', ['inspect', gpt2, ...prompt, '--sites', 'logits', '--step', '1']],
    ['sites without a file', ['run', gpt2, ...prompt, '--record-sites', 'logits']],
  ])('is refused with %s', async (_, args) => {
    await refused('OPTION_INVALID', ...args);
  });

  it('keeps a part where a selector says so', async () => {
    const part = at('part.cutrec');
    const chosen = 'blocks.1.resid_post[position=-1],blocks.0.attn.pattern[head=(0 3)]';
    await quietly('run', gpt2, ...prompt, '--max-new-tokens', '2', '--record', part, '--record-sites', chosen);
    const shown = (await quietly('inspect', part, '--sites', '**')) as InspectResult;
    expect(shown.sites.map((s) => s.shape)).toEqual([
      [1, 2, 4, 4],
      [1, 1, 24],
    ]);
    await refused('SITE_NOT_CAPTURED', 'inspect', part, '--sites', 'blocks.1.resid_post[position=0]');
  });
});

describe('a recording of inspect', () => {
  it('has what was inspected', async () => {
    const saved = at('inspect.cutrec');
    const request = [...prompt, '--sites', 'blocks.0.mlp_out,embed'];
    const live = (await quietly('inspect', gpt2, ...request, '--record', saved)) as InspectResult;
    expect(await quietly('inspect', saved, '--sites', '**')).toEqual(live);
  });

  it('is of an encoder too, and of run on one', async () => {
    const saved = at('bert.cutrec');
    const request = ['--ids', '1,2,3', '--record', saved, '--record-sites', 'blocks.0.resid_post'];
    await quietly('run', tiny('bert-masked'), ...request);
    const shown = (await quietly('inspect', saved, '--sites', '**')) as InspectResult;
    expect(shown.sites.map((s) => s.name)).toEqual(['blocks.0.resid_post']);
  });
});

describe('--from-recording', () => {
  it('runs prompt, edits and sampling again', async () => {
    const again = (await quietly('run', gpt2, '--from-recording', file)) as RunResult;
    expect(again.generated).toEqual(ran.generated);
    expect(again.next).toEqual(ran.next);
    const request = ['--from-recording', file, '--sites', 'blocks.2.mlp_out'];
    const chosen = ['--sites', 'blocks.2.mlp_out'];
    expect(await numbers(gpt2, ...request)).toEqual(await numbers(gpt2, ...prompt, ...edit, ...chosen));
  });

  it('samples the same tokens again', async () => {
    const saved = at('sampled.cutrec');
    const sampling = ['--temperature', '2', '--seed', '5', '--max-new-tokens', '8'];
    const first = (await quietly('run', gpt2, ...prompt, ...sampling, '--record', saved)) as RunResult;
    const again = (await quietly('run', gpt2, '--from-recording', saved)) as RunResult;
    expect(again.generated).toEqual(first.generated);
  });

  it('tells of another model, and runs it with --force', async () => {
    const told = await refused('RECORDING_MISMATCH', 'run', llama, '--from-recording', file);
    expect(told).toContain('gpt2');
    const { status, stderr } = await cutaway('run', llama, '--from-recording', file, '--force');
    expect(status).toBe(0);
    expect(stderr).toContain('another model');
  });

  it('of an encoder-decoder gives source and target', async () => {
    const saved = at('t5.cutrec');
    const model = tiny('bart-default');
    const request = ['--ids', '5,6,7,2', '--target-ids', '4,8', '--max-new-tokens', '3'];
    const sitesToo = ['--record', saved, '--record-sites', 'encoder.blocks.0.resid_post,decoder.blocks.0.cross_attn.z'];
    const first = (await quietly('run', model, ...request, ...sitesToo)) as RunResult;
    const again = (await quietly('run', model, '--from-recording', saved)) as RunResult;
    expect(again.generated).toEqual(first.generated);
    const { recording } = (await quietly('list', saved)) as ListResult;
    expect(recording?.steps['encoder.blocks.0.resid_post']).toEqual([0]);
    expect(recording?.steps['decoder.blocks.0.cross_attn.z']).toEqual([0, 1, 2]);
  });
});

describe('set SITE = from recording FILE', () => {
  const set = (site: string, from = file): string[] => [
    '--edit',
    `set ${site} = from recording ${JSON.stringify(from)}`,
  ];

  it('puts the recorded values in the place of a run’s own', async () => {
    const other = ['--prompt', 't1 t2 t3 t4'];
    const [here, there] = [
      await numbers(gpt2, ...other, ...set('blocks.1.resid_post'), '--sites', 'blocks.1.resid_post,blocks.2.resid_pre'),
      await numbers(file, '--sites', 'blocks.1.resid_post'),
    ];
    expect(here.get('blocks.1.resid_post')).toEqual(there.get('blocks.1.resid_post'));
  });

  it('makes the rest of a run what it was where the whole stream is replaced', async () => {
    const other = ['--prompt', 't1 t2 t3 t4', ...set('blocks.1.resid_post')];
    const patched = (await quietly('run', gpt2, ...other)) as RunResult;
    expect(patched.next).toEqual(ran.next);
  });

  it('takes a selected part; a token by its text in either run', async () => {
    const part = await numbers(
      gpt2,
      ...['--prompt', 't1 t42', ...set('blocks.1.resid_post[position="t42"]'), '--sites', 'blocks.1.resid_post'],
    );
    const all = await numbers(file, '--sites', 'blocks.1.resid_post');
    expect(part.get('blocks.1.resid_post')?.slice(24)).toEqual(all.get('blocks.1.resid_post')?.slice(48, 72));
  });

  it('says both shapes where they do not agree', async () => {
    const told = await refused('EDIT_INVALID', 'run', gpt2, '--prompt', 't1 t2', ...set('blocks.1.resid_post'));
    expect(told).toContain('[1, 2, 24]');
    expect(told).toContain('[1, 4, 24]');
  });

  it('says which sites there are where it has not this one', async () => {
    const told = await refused('SITE_NOT_CAPTURED', 'run', gpt2, ...prompt, ...set('blocks.0.mlp_out'));
    expect(told).toContain('blocks.1.resid_post');
  });

  it('tells of a recording of another model', async () => {
    const { stderr } = await cutaway('run', llama, ...prompt, ...set('blocks.1.attn.pattern'));
    expect(stderr).toContain('another model');
  });
});

describe('a run that is stopped', () => {
  it('saves what it made', async () => {
    const saved = at('stopped.cutrec');
    const parsed = runInput.parse({
      model: gpt2,
      ids: [5, 17],
      maxNewTokens: 30,
      record: saved,
      recordSites: 'logits',
    });
    const controller = new AbortController();
    let words = 0;
    const stream = (): void => {
      if (++words === 3) controller.abort();
    };
    const result = (await run.run(parsed, { signal: controller.signal, note: () => undefined, stream })) as RunResult;
    expect(result.stop).toBe('cancelled');
    const { recording } = (await quietly('list', saved)) as ListResult;
    expect(recording).toMatchObject({ complete: true, stop: 'cancelled', made: result.generated.ids.length });
    expect(recording?.generated?.map((t) => t.id)).toEqual(result.generated.ids);
  });
});

describe('--redact', () => {
  it('leaves out what was said and what was asked', async () => {
    const saved = at('redacted.cutrec');
    const request = [
      ...prompt,
      ...edit,
      '--max-new-tokens',
      '3',
      '--record',
      saved,
      '--record-sites',
      'blocks.0.attn.z',
    ];
    await quietly('run', gpt2, ...request, '--redact');
    const bytes = readFileSync(saved, 'latin1');
    for (const word of ['t5', 't17', '"id"', 'scale', 'gpt2-default']) expect(bytes).not.toContain(word);
    const { recording } = (await quietly('list', saved)) as ListResult;
    expect(recording).toMatchObject({ redacted: true, promptLength: 4, made: 3 });
    await refused('OPTION_INVALID', 'run', gpt2, '--from-recording', saved);
  });
});

describe('a file that is damaged, or something else', () => {
  it('is recovered where its directory is cut off', async () => {
    const cut = at('cut.cutrec');
    copyFileSync(file, cut);
    const whole = readFileSync(file);
    truncateSync(cut, whole.lastIndexOf('manifest.json', whole.lastIndexOf('PK\u0001\u0002') - 200) - 30);
    const { stderr } = await cutaway('list', cut);
    expect(stderr).toContain('recovered');
    const { recording } = (await quietly('list', cut)) as ListResult;
    expect(recording).toMatchObject({ complete: false, made: 4 });
    const chosen = ['--sites', 'blocks.1.resid_post', '--step', '3'];
    expect(await numbers(cut, ...chosen)).toEqual(await numbers(file, ...chosen));
  });

  it('is refused where a number was changed', async () => {
    const changed = at('changed.cutrec');
    const bytes = readFileSync(file);
    const start = bytes.indexOf('parts/00000.safetensors');
    const dataAt = start + 3000 + bytes.subarray(start).indexOf('{');
    const end = bytes.indexOf('PK\u0003\u0004', dataAt);
    bytes.writeUInt8((bytes[end - 1] ?? 0) ^ 1, end - 1);
    writeFileSync(changed, bytes);
    const { status, stderr } = await cutaway('inspect', changed, '--sites', '**', '--step', '3', '--quiet');
    expect(status).toBe(2);
    expect(stderr).toContain('RECORDING_INVALID');
  });

  it('is a ZIP without a manifest', async (context) => {
    const python = pythonOrSkip(context);
    const zip = at('some.zip');
    execFileSync(python, ['-c', 'import sys,zipfile; zipfile.ZipFile(sys.argv[1], "w").writestr("a.txt", "x")', zip]);
    await refused('RECORDING_INVALID', 'list', zip);
  });

  it('does not keep a run from replacing it, and leaves nothing beside it', async () => {
    const saved = at('again.cutrec');
    writeFileSync(saved, 'old');
    await quietly('run', gpt2, ...prompt, '--record', saved);
    expect(((await quietly('list', saved)) as ListResult).recording?.verb).toBe('run');
    expect(readdirSync(scratch).filter((name) => name.endsWith('.partial'))).toEqual([]);
  });

  it('stays what it was where the run fails', async () => {
    const saved = at('kept.cutrec');
    writeFileSync(saved, 'old');
    await refused('SITE_UNKNOWN', 'run', gpt2, ...prompt, '--record', saved, '--record-sites', 'nowhere');
    expect(readFileSync(saved, 'utf8')).toBe('old');
    expect(readdirSync(scratch).filter((name) => name.endsWith('.partial'))).toEqual([]);
  });
});

const pythonReads = `
import json, struct, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as z:
    assert z.testzip() is None
    manifest = json.loads(z.read('manifest.json'))
    site = next(s for s in manifest['sites'] if s['name'] == 'blocks.1.resid_post' and s['step'] == 0)
    part = z.read(site['part'])
n = struct.unpack('<Q', part[:8])[0]
header = json.loads(part[8:8 + n])
begin, end = header[site['tensor']]['data_offsets']
values = struct.unpack('<%df' % ((end - begin) // 4), part[8 + n + begin:8 + n + end])
# Writes it again with what Python has: other offsets, no ZIP64, no checksums of tensors.
name = site['tensor']
body = struct.pack('<%df' % len(values), *values)
head = json.dumps({name: {'dtype': 'F32', 'shape': site['shape'], 'data_offsets': [0, len(body)]}}).encode()
site.pop('crc32')
manifest['sites'] = [site]
with zipfile.ZipFile(sys.argv[2], 'w', zipfile.ZIP_STORED) as z:
    z.writestr(site['part'], struct.pack('<Q', len(head)) + head + body)
    z.writestr('manifest.json', json.dumps(manifest))
print(json.dumps(values))
`;

describe('Python’s standard library', () => {
  it('reads what we write, and writes what we read', async (context) => {
    const python = pythonOrSkip(context);
    const theirs = at('python.cutrec');
    const values = JSON.parse(
      execFileSync(python, ['-c', pythonReads, file, theirs], { encoding: 'utf8' }),
    ) as number[];
    const own = await numbers(file, '--sites', 'blocks.1.resid_post');
    expect(values).toEqual(own.get('blocks.1.resid_post'));
    expect(await numbers(theirs, '--sites', 'blocks.1.resid_post')).toEqual(own);
  });
});
