// What every browser has and Node 20 has not.
import { vi } from 'vitest';

if (typeof navigator === 'undefined') vi.stubGlobal('navigator', {});
