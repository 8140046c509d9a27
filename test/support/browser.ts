import { execFileSync } from 'node:child_process';
import { createReadStream, createWriteStream, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';
import { chromium, type Browser } from 'playwright-core';
import type { TestContext } from 'vitest';
import { root } from './root.js';
import { skipOrFail } from './skip.js';

const packageFolder = path.join(
  path.dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')),
  '../..', // from build/cjs
);
const { version } = createRequire(import.meta.url)(path.join(packageFolder, 'package.json')) as { version: string };
const cache = path.join(root, 'node_modules/.cache');
const unpacked = path.join(cache, `chromium-${version}`);

const inflate = (file: string, to: string): Promise<void> =>
  pipeline(
    createReadStream(path.join(packageFolder, 'bin', file)),
    createBrotliDecompress({ chunkSize: 2 ** 21 }),
    createWriteStream(to, { mode: 0o700 }),
  );

/** The browser with its libraries, out of its npm package: once, whole or not at all, whoever else does it meanwhile. */
const unpack = async (): Promise<void> => {
  if (existsSync(unpacked)) return;
  mkdirSync(cache, { recursive: true });
  const partial = mkdtempSync(`${unpacked}-`);
  try {
    await inflate('chromium.br', path.join(partial, 'chromium'));
    for (const archive of ['al2023', 'swiftshader', 'fonts']) {
      const file = path.join(partial, `${archive}.tar`);
      await inflate(`${archive}.tar.br`, file);
      execFileSync('tar', ['xf', file, '-C', partial]);
      rmSync(file);
    }
    renameSync(partial, unpacked);
  } catch (error) {
    if (!existsSync(unpacked)) throw error;
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
};

/** WebGPU without a GPU: Vulkan in software, which comes with the browser. */
const softwareGpu = [
  ...['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--ignore-gpu-blocklist'],
  ...['--enable-features=Vulkan', '--use-vulkan=swiftshader', '--use-angle=swiftshader'],
];

/** A real Chromium without a window, out of an npm package. The caller closes it. Linux on x64 only. */
export const launchBrowser = async (): Promise<Browser> => {
  await unpack();
  return chromium.launch({
    executablePath: path.join(unpacked, 'chromium'),
    chromiumSandbox: false, // a container's root has none; the pages are our own
    args: softwareGpu,
    env: {
      ...process.env,
      LD_LIBRARY_PATH: path.join(unpacked, 'lib'),
      FONTCONFIG_PATH: path.join(unpacked, 'fonts'),
    },
    timeout: 60_000,
  });
};

/**
 * A real Chromium without a window, out of an npm package: nothing is downloaded, no library of the system is needed.
 * WebGPU is computed in software. The caller closes it. Linux on x64 only; elsewhere the test is skipped.
 */
export const browserOrSkip = async (context: TestContext): Promise<Browser> => {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return skipOrFail(context, `no browser for ${process.platform} ${process.arch}: run the test on Linux x64`);
  return launchBrowser().catch((error: unknown) => {
    const [reason = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    return skipOrFail(context, `Chromium cannot start here (${reason}): run the test where it can`);
  });
};

/** A promise that fails, in words, when it takes longer than it may. */
export const within = async <T>(promise: Promise<T>, what: string, limitMs: number): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${limitMs} ms`)), limitMs);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};
