export { spectrum, type Spectrum } from './spectrum.js';
