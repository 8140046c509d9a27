import { gridsOf, metricOf } from '/work/wt-patching/src/analyses/sweep/index.js';
import { runOrder, Sweep } from '/work/wt-patching/src/engine/index.js';
import { parseExpression } from '/work/wt-patching/src/language/index.js';
import { openModel } from '/work/wt-patching/src/service/index.js';
import { peakGflops } from '/work/wt-patching/bench/floor.js';
const n = Number(process.argv[2] ?? 16);
const sites = process.argv[3] ?? 'resid_pre,attn_out,mlp_out';
const model = await openModel('/work/wt-patching/bench/models/gpt2-small', { device: 'cpu', engine: 'onnxruntime', threads: 2, binding: 'packed' });
const order = runOrder(model.program, []);
const ids = (s) => Array.from({ length: n }, (_, i) => (i * 7919 + s * 104729) % 50257);
const p = (s) => ({ ids: ids(s), tokens: ids(s).map((id) => ({ text: `[${id}]` })) });
for (let r = 0; r < 3; r++) {
  const c00 = process.cpuUsage();
  const peak = await peakGflops(2);
  const c0 = process.cpuUsage(); const t0 = performance.now();
  const grids = gridsOf({ program: model.program, order, prompt: p(2), sites });
  const metric = await metricOf(parseExpression('logit(11) - logit(262)'), { program: model.program, order, prompt: p(2), encode: async () => [] });
  const cells = grids.flatMap((g) => g.cells);
  const sweep = await Sweep.open({ program: model.program, compilations: model.compilations, variant: { order, edits: new Map(), weights: new Map() } }, { prompt: p(2), changes: cells.map((c) => c.place.name), positions: metric.positions });
  const source = await sweep.other(p(1));
  const c1 = process.cpuUsage(c0); const t1 = performance.now();
  await sweep.run(cells.map(({ place, indices }) => ({ changes: [{ site: place.name, indices, to: { kind: 'value', tensor: source.site(place.name) } }] })), (v, run) => void metric.of(run));
  const c2 = process.cpuUsage(c0);
  console.log('peak', peak.toFixed(0), 'open', ((c1.user + c1.system) / 1e6).toFixed(2), 'total cpu', ((c2.user + c2.system) / 1e6).toFixed(2), 'user', (c2.user/1e6).toFixed(2), 'wall', ((performance.now() - t0) / 1000).toFixed(2));
}
