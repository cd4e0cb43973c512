/** Tabs the agent opens for its own work: nobody's settings apply to them, and no list shows them. */
export class OwnTargets {
  #ids = new Set<string>();
  #creating = new Set<Promise<unknown>>();

  has(targetId: string): boolean {
    return this.#ids.has(targetId);
  }

  /** Opens one; its id is known as ours before {@link OwnTargets.settled} lets anybody ask. */
  async add(create: Promise<{ targetId: string }>): Promise<string> {
    const known = create.then(({ targetId }) => this.#ids.add(targetId)).catch(() => {});
    this.#creating.add(known);
    try {
      await known;
      return (await create).targetId;
    } finally {
      this.#creating.delete(known);
    }
  }

  delete(targetId: string): void {
    this.#ids.delete(targetId);
  }

  /** Resolves when it is known of every tab whether it is ours. */
  async settled(): Promise<void> {
    await Promise.all(this.#creating);
  }
}
