export { openBrowser } from './browser.js';
export { startPage, type PageOptions, type PageServer } from './start.js';
