/**
 * A rotation that is killed at any step: the next one goes on with the old keys alone, nothing is lost and nothing done twice.
 */
import { expect, it } from 'vitest';
import { decrypt, type RotationReport, rotateMessages } from '../../src/index.ts';
import { aesKeyring, failureCode } from '../support/messages.ts';
import { nameOf, World } from '../support/rotation.ts';
import { randomNumbers } from '../support/streams.ts';

const from = aesKeyring(1);
const to = aesKeyring(2);

/** One life of a rotation; `undefined` when it was killed. */
async function live(world: World, steps: number, concurrency: number): Promise<RotationReport | undefined> {
  const life = { steps };
  const process = world.process(life);
  const options = { keyring: from, to, journal: process.journal, concurrency };
  const report = await rotateMessages(process.messages(), options).catch(() => undefined);
  return life.steps < 0 ? undefined : report;
}

it('is killed at every step of a few objects', async () => {
  const count = 5;
  let killed = 0;
  for (let steps = 0; ; steps++) {
    const world = await World.of(count, from);
    if (await live(world, steps, 2)) break;
    killed++;
    const report = await live(world, Number.POSITIVE_INFINITY, 2);
    expect(report).toMatchObject({ objects: count, failed: 0, completed: true });
    expect(report!.rewrapped + report!.doneBefore).toBe(count);
    await world.check(to);
    // An object that was replaced, and not noted as done, has not been replaced again.
    expect([...world.objects.values()].map(({ version }) => version)).toEqual(new Array(count).fill(1));
    const begun = world.entries.filter(({ state }) => state === 'begun');
    expect(report!.wraps).toBe(begun.length);
  }
  expect(killed).toBe(8 * count); // read, replace (3), and two for each entry of the journal
});

it('is killed again and again among thousands', async () => {
  const count = 2000;
  const world = await World.of(count, from, (i) => i % 7);
  const draw = randomNumbers(1);
  let lives = 0;
  let report: RotationReport | undefined;
  for (; report === undefined; lives++) report = await live(world, draw(1000) + 40, 1 + draw(16));
  expect(lives).toBeGreaterThan(20);
  expect(report).toMatchObject({ objects: count, failed: 0, completed: true });
  await world.check(to, (i) => i % 7);
  const versions = new Set([...world.objects.values()].map(({ version }) => version));
  expect([...versions]).toEqual([1]);
  const done = world.entries.filter(({ state }) => state === 'done').map(({ name }) => name);
  expect(new Set(done).size).toBe(count);
  expect(done.length).toBe(count);
}, 120_000);

it('takes a replacement that arrives after the next run has begun for what it is', async () => {
  const world = await World.of(1, from);
  const { journal } = world.process();
  const late = await sentOff(world);
  // The next run looks, sees the old message, and begins anew; then what the first one had sent off arrives.
  const second = world.process();
  second.onStep = (event) => {
    if (event === `complete ${nameOf(0)}`) late();
  };
  const report = await rotateMessages(second.messages(), { keyring: from, to, journal: second.journal });
  expect(report).toMatchObject({ failed: 1 });
  expect(String(report.failures[0]!.error)).toContain('changed meanwhile');
  const third = world.process();
  const next = await rotateMessages(third.messages(), { keyring: from, to, journal });
  expect(next).toMatchObject({ doneBefore: 1, failed: 0, wraps: 2 });
  expect(world.objects.get(nameOf(0))!.version).toBe(1);
  await world.check(to);
});

/** A first run that is killed when all is sent off; gives what makes it arrive. */
async function sentOff(world: World): Promise<() => void> {
  const object = world.objects.get(nameOf(0))!;
  const before = { ...object };
  await live(world, 6, 1); // read, begun, replace, complete, replaced
  expect(object.version).toBe(1);
  const after = { ...object };
  Object.assign(object, before);
  return () => Object.assign(object, after);
}

it('without a journal nothing is resumed: what is under the new keys fails by the old ones', async () => {
  const world = await World.of(3, from);
  const run = () => rotateMessages(world.process().messages(), { keyring: from, to });
  expect(await run()).toMatchObject({ rewrapped: 3, failed: 0 });
  expect(await run()).toMatchObject({ rewrapped: 0, failed: 3 });
  await world.check(to);
  const { body } = world.objects.get(nameOf(0))!;
  expect(await failureCode(decrypt(body, { keyring: from }))).toBe('NO_DATA_KEY');
});
