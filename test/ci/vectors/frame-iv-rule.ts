/** A rule of ours: others take the IV of version 2 frames as it comes. */
export const FRAME_IV_RULE = 'version 2 frames whose IV is not their sequence number';
