import { bug } from '../../base/index.js';
import { GraphBuilder, matMul } from '../../graph/index.js';
import type { Tensor } from '../../tensor/index.js';
import type { Executable } from '../backend.js';
import { asFloat32 } from './as-float32.js';
import type { Compilations } from './compiled.js';

const productGraph = () => {
  const builder = new GraphBuilder('product');
  const matrix = (name: string, axes: readonly string[]) =>
    builder.input(name, { dtype: 'float32', shape: axes, axes });
  const product = matMul(matrix('left', ['rows', 'inner']), matrix('right', ['inner', 'columns']));
  const largest = builder.op('ReduceMax', { axis: 1 }, [product]);
  return builder.finish({ product, largest });
};

/** Products of matrices at the engine's speed, for analyses of whole layers. */
export class Products {
  private constructor(readonly executable: Executable) {}

  /** @throws EngineError ENGINE_FAILED */
  static async open({ backend, weights }: Compilations): Promise<Products> {
    return new Products(await backend.compile(productGraph(), weights));
  }

  /** [rows, inner] · [inner, columns] -> [rows, columns] */
  async of(left: Tensor<'float32'>, right: Tensor<'float32'>): Promise<Tensor<'float32'>> {
    return this.#run('product', left, right);
  }

  /** The largest number of each row of a product, which itself is not handed over. */
  async rowMaxima(left: Tensor<'float32'>, right: Tensor<'float32'>): Promise<Float32Array> {
    return (await this.#run('largest', left, right)).data;
  }

  dispose(): Promise<void> {
    return this.executable.dispose();
  }

  async #run(
    what: 'product' | 'largest',
    left: Tensor<'float32'>,
    right: Tensor<'float32'>,
  ): Promise<Tensor<'float32'>> {
    const fed = new Map<string, Tensor>([
      ['left', left],
      ['right', right],
    ]);
    const result = (await this.executable.run(fed, [what])).get(what);
    if (!result) throw bug('a product gave nothing');
    return asFloat32(result);
  }
}
