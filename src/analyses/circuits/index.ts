export { copyingScore, eigenvalues, type Complex, type Square } from './eigenvalues.js';
