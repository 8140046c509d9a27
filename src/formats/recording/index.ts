export { crc32 } from './crc32.js';
export { alignment, directory, localHeader } from './zip-write.js';
export { isIntact, readZip, type ZipContent } from './zip-read.js';
export { invalidRecording, type ZipEntry, type ZipSource } from './zip.js';
