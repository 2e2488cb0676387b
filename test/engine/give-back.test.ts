import { afterEach, describe, expect, it } from 'vitest';
import { giveBack } from '../../src/engine/give-back.ts';

const transfer = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'transfer');

afterEach(() => {
  if (transfer) Object.defineProperty(ArrayBuffer.prototype, 'transfer', transfer);
  else Reflect.deleteProperty(ArrayBuffer.prototype, 'transfer');
});

describe('giveBack', () => {
  it('frees memory by a closed port where buffers cannot be transferred', () => {
    Reflect.deleteProperty(ArrayBuffer.prototype, 'transfer');
    for (let i = 0; i < 3; i++) {
      const bytes = new Uint8Array(65_536);
      giveBack(bytes);
      expect(bytes.length).toBe(0);
    }
  });

  it('frees memory by transferring it where that is possible', () => {
    const lengths: number[] = [];
    Object.defineProperty(ArrayBuffer.prototype, 'transfer', {
      configurable: true,
      value(this: ArrayBuffer, length: number) {
        lengths.push(this.byteLength, length);
        return new ArrayBuffer(length);
      },
    });
    giveBack(new Uint8Array(65_536));
    expect(lengths).toEqual([65_536, 0]);
  });

  it('leaves memory alone that others share', () => {
    const whole = new Uint8Array(65_536);
    giveBack(whole.subarray(0, 32_768));
    giveBack(whole.subarray(1));
    expect(whole.length).toBe(65_536);
  });

  it('leaves small buffers alone: freeing them would cost more than it saves', () => {
    const bytes = new Uint8Array(8191);
    giveBack(bytes);
    expect(bytes.length).toBe(8191);
  });
});
