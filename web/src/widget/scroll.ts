/** Where the log stands: it follows what is new, but never past the beginning of a long answer, nor away from who reads. */

const NEAR_PX = 80;

/** Scrolls one log. */
export class Scroller {
  private following = true;

  constructor(
    private readonly log: HTMLElement,
    onMove: (away: boolean) => void,
  ) {
    log.addEventListener("scroll", () => {
      this.following = this.isNear || this.atQuestion;
      onMove(this.away);
    });
  }

  /** Whether the newest is out of sight. */
  get away(): boolean {
    return !this.following && !this.isNear;
  }

  /** Show what is new, unless somebody reads further up. */
  follow(): void {
    if (this.following) this.log.scrollTop = this.target;
  }

  /** Follow again, as after the shopper's own message. */
  restart(): void {
    this.following = true;
    this.follow();
  }

  private get bottom(): number {
    return this.log.scrollHeight - this.log.clientHeight;
  }

  private get isNear(): boolean {
    return this.bottom - this.log.scrollTop < NEAR_PX;
  }

  private get atQuestion(): boolean {
    return Math.abs(this.log.scrollTop - this.target) < NEAR_PX;
  }

  /** The end, or the newest question at the top, whichever comes first. */
  private get target(): number {
    const asked = [...this.log.querySelectorAll<HTMLElement>(".mine")].at(-1);
    if (!asked) return this.bottom;
    const top = this.log.scrollTop + asked.getBoundingClientRect().top - this.log.getBoundingClientRect().top - 12;
    return Math.max(0, Math.min(this.bottom, top));
  }
}
