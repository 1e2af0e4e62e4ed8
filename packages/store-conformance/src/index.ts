export type { StoreConformanceOptions, StoreUnderTest } from './store-under-test.js';
export { type DefineCase, type Runner, storeConformance } from './suite.js';
