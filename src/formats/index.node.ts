export * from './index.js';
export { readChatTemplate, renderChatInTime } from './chat.node.js';
export { parseChat, renderChat, type Chat, type ChatTemplate } from './chat.js';
export { fingerprint } from './fingerprint.node.js';
export { openFolder, type ModelFolder } from './folder.node.js';
export { openGguf, readGgufFile } from './gguf/index.node.js';
export {
  createRecording,
  isRecording,
  openRecording,
  tensorCrc32,
  type RecordingFile,
  type RecordingWriter,
  type TensorPlace,
} from './recording/index.node.js';
export { openTokenizer, openTokenizerJson } from './tokenizer.node.js';
export { openWeights } from './weights.node.js';
export { checkWritable } from './whole-file.node.js';
export { writeSafetensorsFile } from './write-safetensors.node.js';
