import { runOrder, forward, makeRows } from '../src/engine/index.js';
import { openModel } from '../src/service/index.js';
import { peakGflops } from './floor.js';
import { SharedInputs, feedsOf } from '../src/engine/sweep/feeds.js';
import { float32 } from '../src/tensor/index.js';
const model = await openModel('bench/models/gpt2-small', { device: 'cpu', engine: 'onnxruntime', threads: 2, binding: 'packed' });
const order = runOrder(model.program, []);
const cpu = () => { const c = process.cpuUsage(); return (c.user + c.system) / 1e6; };
const variant = { order, edits: new Map(), weights: new Map() };
const blocks = order.filter((i) => i.segment.kind === 'block');
let c = cpu(); let t=performance.now(); const peak = await peakGflops(2); console.log('peak', peak.toFixed(0), 'peak per cpu-s', (12 * 2 * 1536 ** 3 / 1e9 / (cpu() - c)).toFixed(0));
for (const [B, past, rows] of [[1,0,64],[8,8,8],[36,8,8],[36,14,2],[36,0,16],[12,0,16],[3,8,8],[64,0,16],[16,0,64],[4,32,32]]) {
  const r = makeRows({ ids: Array(B).fill(Array(rows).fill(5)), past, step: 0 });
  const resid = float32([B, rows, 768], Float32Array.from({ length: B * rows * 768 }, (_, i) => Math.sin(i)));
  const pk = float32([B, past, 12, 64], new Float32Array(B * past * 768).fill(0.1));
  const run = async () => { for (const instance of blocks) {
    const { graph, executable } = await model.compilations.get(instance.segment, { edits: [], weights: new Set(), taps: [] });
    const feeds = feedsOf({ instance, graph, variant, edits: [], shared: new SharedInputs(model.program, r), given: (n) => n === 'resid' ? resid : n.startsWith('past') ? pk : undefined });
    await executable.run(feeds, ['resid']);
  } };
  await run();
  const peakc = await (async()=>{const c=cpu(); await peakGflops(2); return 12 * 2 * 1536 ** 3 / 1e9 / (cpu() - c);})();
  c = cpu(); t = performance.now(); const k = Math.ceil(4000/(B*rows)); for (let i = 0; i < k; i++) await run();
  const gf = k * 12 * (24 * 768 * 768 * B * rows + B * rows * 4 * 768 * (past + rows / 2)) / 1e9;
  const used = cpu() - c;
  console.log(JSON.stringify([B, past, rows]), 'GF/cpu-s', (gf / used).toFixed(1), 'of', peakc.toFixed(1), 'ratio', (peakc * used / gf).toFixed(2), 'wall', ((performance.now() - t) / k).toFixed(0), 'ms');
}
