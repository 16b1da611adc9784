// Tests of videos.mjs against a running emulator, with nothing but Node: `node --test`.
//
// EMULATOR_URL says where it runs; left out: where `video-emulator serve` or `docker run -p 8080:8080` puts it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { GaveUp, RenderFailed, Videos } from "./videos.mjs";

const EMULATOR = process.env.EMULATOR_URL ?? "http://127.0.0.1:8080";

/** A world of a test's own: its clock, scenario, tasks and journal. It goes when the test has ended. */
class World {
  static async make(t, settings = {}) {
    const world = new World();
    const wanted = { clock: { mode: "manual" }, ...settings };
    const made = await world.admin("POST", "/namespaces", wanted); // it finds a name that is free
    world.name = made.name;
    world.apiKey = `${made.key_prefix}node`; // a key that leads into this world, whatever the path
    t.after(() => world.admin("DELETE", `/namespaces/${made.name}`));
    return world;
  }

  /** A call of the control API about this world. */
  async admin(method, path, body) {
    const headers = { "content-type": "application/json" };
    if (this.name) headers["x-emulator-namespace"] = this.name;
    const answer = await fetch(`${EMULATOR}/__admin${path}`, {
      method,
      headers,
      body: body && JSON.stringify(body),
    });
    const told = await answer.json();
    assert.ok(answer.ok, `${method} ${path}: ${JSON.stringify(told)}`);
    return told;
  }

  advance(by) {
    return this.admin("POST", "/clock/advance", { by });
  }

  /** Fails, with what came nearest, unless clients did this. */
  async verify(pattern) {
    const told = await this.admin("POST", "/verify", pattern);
    assert.ok(told.verified, told.text);
  }

  /** Our client, unchanged: the key alone leads into this world. */
  videos(provider, giveUpAfter = 10_000) {
    return new Videos(`${EMULATOR}/${provider}/v1`, this.apiKey, { every: 1, giveUpAfter });
  }
}

const isVideo = (bytes) => bytes.subarray(4, 8).toString() === "ftyp";

for (const provider of ["octopusx", "ezmodel"]) {
  test(`${provider}: a video comes after five minutes in the queue`, async (t) => {
    const world = await World.make(t, { scenario: "slow-queue" });
    const videos = world.videos(provider);
    const id = await videos.create("a cat");
    assert.match((await videos.look(id)).status, /^(queued|pending)$/);

    await world.advance("5m");
    const video = await videos.look(id);
    assert.equal(video.status, "completed");
    assert.ok(isVideo(await videos.download(video)));
    await world.verify({ operation: "poll", task: id, exactly: 2 });
  });

  test(`${provider}: a throttled poll is no failure`, async (t) => {
    // Each poll that would see nothing new moves this clock, so our client's own loop needs no waiting.
    const world = await World.make(t, { scenario: "rate-limited", clock: { mode: "auto" } });
    const videos = world.videos(provider);
    const id = await videos.create("a cat");
    assert.ok(isVideo(await videos.download(await videos.wait(id))));
    await world.verify({ operation: "poll", status_code: 429, at_least: 1 });
    await world.verify({ operation: "create", match: { prompt: { contains: "cat" } }, exactly: 1 });
  });

  test(`${provider}: a refused prompt ends the wait`, async (t) => {
    const world = await World.make(t, { scenario: "fail-moderation", clock: { mode: "auto" } });
    const videos = world.videos(provider);
    const id = await videos.create("something awful");
    await assert.rejects(videos.wait(id), (error) => {
      assert.ok(error instanceof RenderFailed);
      assert.equal(error.code, "content_policy_violation");
      return true;
    });
    const report = await world.admin("GET", "/report");
    assert.notEqual(report.verdict, "failed", JSON.stringify(report.checks));
  });

  test(`${provider}: a task that never ends is given up`, async (t) => {
    const world = await World.make(t, { scenario: "stuck-processing", clock: { mode: "auto" } });
    const videos = world.videos(provider, 100);
    const id = await videos.create("a cat");
    await assert.rejects(videos.wait(id), GaveUp);
    assert.equal((await world.admin("GET", `/tasks/${id}`)).status, "processing");
  });
}

test("a scenario of the test's own", async (t) => {
  const world = await World.make(t, { clock: { mode: "auto" } });
  await world.admin("POST", "/scenarios?activate=true", {
    version: 1,
    name: "two-bad-polls",
    tasks: [{ timeline: [{ status: "processing", polls: 2 }, { status: "completed" }] }],
    rules: [{ operation: "poll", calls: "1-2", error: "internal" }],
  });
  const videos = world.videos("ezmodel");
  const id = await videos.create("a cat");
  assert.ok(isVideo(await videos.download(await videos.wait(id))));
  await world.verify({ operation: "poll", task: id, exactly: 5 });
});

test("worlds don't meet", async (t) => {
  const [one, other] = [await World.make(t, { seed: 1 }), await World.make(t, { seed: 2 })];
  const id = await one.videos("octopusx").create("a cat");
  await assert.rejects(other.videos("octopusx").look(id), /404/);
  await one.advance("10s");
  assert.equal((await one.videos("octopusx").look(id)).status, "completed");
  await other.verify({ operation: "create", exactly: 0 });
});
