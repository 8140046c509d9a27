export * from './index.js';
export { isRecording, openRecording, type RecordingFile, type TensorPlace } from './read-recording.node.js';
export { createRecording, tensorCrc32, type RecordingWriter } from './write-recording.node.js';
