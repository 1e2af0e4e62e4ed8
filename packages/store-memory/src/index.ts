export { type MemoryMaildrop, type MemoryMessage, type MemoryStore, memoryStore } from './memory-store.js';
