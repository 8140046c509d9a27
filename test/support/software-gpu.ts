import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import type { TestContext } from 'vitest';
import { skipOrFail } from './skip.js';

/**
 * The environment of a process that computes with Vulkan in software: SwiftShader, which comes inside the npm package
 * of a browser. No GPU and no system library is needed. Linux on x64 only; elsewhere the test is skipped.
 * @param folder a temporary folder to unpack into
 */
export const softwareGpuOrSkip = (context: TestContext, folder: string): NodeJS.ProcessEnv => {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return skipOrFail(context, `no software GPU for ${process.platform} ${process.arch}: run the test on Linux x64`);
  const entry = createRequire(import.meta.url).resolve('@sparticuz/chromium');
  let root = path.dirname(entry);
  while (!existsSync(path.join(root, 'package.json')) || !existsSync(path.join(root, 'bin'))) root = path.dirname(root);
  const archive = path.join(folder, 'swiftshader.tar');
  mkdirSync(folder, { recursive: true });
  writeFileSync(archive, brotliDecompressSync(readFileSync(path.join(root, 'bin/swiftshader.tar.br'))));
  execFileSync('tar', ['xf', archive, '-C', folder]);
  const driver = path.join(folder, 'vk_swiftshader_icd.json');
  return { ...process.env, LD_LIBRARY_PATH: folder, VK_DRIVER_FILES: driver, VK_ICD_FILENAMES: driver };
};
