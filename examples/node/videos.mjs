// A made-up team's client of OctopusX and EzModel: what the test beside it tests.

/** A video that won't come, with the provider's own code. */
export class RenderFailed extends Error {
  constructor(code, message) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}

/** We have waited for long enough. The task may still end well. */
export class GaveUp extends Error {}

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

export class Videos {
  /**
   * @param {string} baseUrl up to `/v1`
   * @param {string} apiKey ours
   * @param {number} every how long to wait between two polls, in milliseconds
   * @param {number} giveUpAfter how long to wait for a video, in milliseconds
   */
  constructor(baseUrl, apiKey, { every = 5000, giveUpAfter = 600_000 } = {}) {
    this.baseUrl = baseUrl;
    this.headers = { authorization: `Bearer ${apiKey}`, "content-type": "application/json" };
    this.every = every;
    this.giveUpAfter = giveUpAfter;
  }

  /** Orders a video; the id of its task. */
  async create(prompt) {
    const body = JSON.stringify({ model: "sora-2", prompt });
    const answer = await fetch(`${this.baseUrl}/videos`, { method: "POST", headers: this.headers, body });
    if (!answer.ok) throw new Error(`create: ${answer.status} ${await answer.text()}`);
    return (await answer.json()).id;
  }

  /** A task as it is now, or null where the provider has no time for us. */
  async look(id) {
    const answer = await fetch(`${this.baseUrl}/videos/${id}`, { headers: this.headers });
    if (answer.status === 429 || answer.status >= 500) {
      await answer.body?.cancel();
      return null;
    }
    if (!answer.ok) throw new Error(`look: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  /** A task that has ended well. A word that nobody documents is no end. */
  async wait(id) {
    const end = performance.now() + this.giveUpAfter;
    while (performance.now() < end) {
      const video = await this.look(id);
      if (video?.status === "completed") return video;
      if (video?.status === "failed") throw new RenderFailed(video.error.code, video.error.message);
      if (video?.status === "cancelled") throw new RenderFailed("cancelled", "somebody cancelled it");
      await pause(this.every);
    }
    throw new GaveUp(`${id} hasn't ended after ${this.giveUpAfter} ms`);
  }

  /** The video's bytes. Where they lie, nobody needs our key. */
  async download(video) {
    const answer = await fetch(video.video_url || video.url);
    if (!answer.ok) throw new Error(`download: ${answer.status}`);
    return Buffer.from(await answer.arrayBuffer());
  }
}
