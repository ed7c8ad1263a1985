// What the browser's scripts share: the objects they hang on `window`, and what travels between phone and server.

/** A picture of one topic, as the server draws it. */
interface Frame { t: string; topic: string; rev: string; html: string }

interface Live {
  /**
   * Listen to frames of this type (hello, screen, place, ack, nack, mine), or to what happens on this page: open (a new
   * socket), wake (somebody looks again), swapping (topic), swapped (topic, element, is it another one).
   */
  on(type: string, handler: (...news: any[]) => void): void;
  /** Tell all who listen; how an answer that came by another way is handed in. */
  tell(type: string, ...news: any[]): void;
  show(frame: Frame): void;
  /** While pictures are held back: the newest of each topic. */
  held?: Record<string, Frame> | null;
  seen: Record<string, string>;
  /** False where there is no line. */
  send(data: object): boolean;
  drop(): void;
  words: Record<string, string>;
  now(): number;
  connected(): boolean;
  place?: Place;
  /** Is `group.js` here? */
  group?: boolean;
  phone?: Phone;
}

/** Where this person sits, and what is theirs alone in their group. */
interface Place {
  group: number;
  tag: string;
  number?: number;
  agreed: number[];
  own?: OwnNote[];
  elsewhere?: OwnNote[];
}

interface OwnNote { note: number; rev: number; text: string; of?: string }

/** What `phone.js` lends to `group.js`: answers and notes travel alike. */
interface Phone {
  store: { get(name: string, fallback: any): any; set(name: string, value: any): void };
  newId(): string;
  post(frame: object, failed: () => void): void;
  pause(tries: number): number;
  asked(frame: { retry_after?: number }): number;
  isTyping(): boolean;
  PATIENCE: number;
}

/** What a form's fields hold: by name, as they would be sent. */
type Fields = Record<string, string[]>;

interface Ballot {
  /** Adds what helps; safe to call again. */
  upgrade(form: Part): void;
  /** The form's fields as a plain submit would send them. */
  read(form: Part): Fields;
  /** Puts them back. */
  fill(form: Part, fields: Fields): void;
  /** What was written, given or ranked in it, a line for each field. */
  typed(form: Part): string;
}

interface Window {
  Live?: Live;
  Ballot?: Ballot;
  Plotly?: any;
  htmx?: {
    process(element: Element): void;
    ajax(verb: string, path: string, context: object): Promise<void>;
  };
}

/** An element as a selector finds it: our pages are HTML, and what kind it is stands in the template. */
interface Part extends HTMLElement {
  checked: boolean;
  content: DocumentFragment;
  disabled: boolean;
  elements: HTMLFormControlsCollection & Record<string, any>;
  form: HTMLFormElement & Record<string, any>;
  href: string;
  maxLength: number;
  name: string;
  open: boolean;
  options: HTMLOptionsCollection;
  requestSubmit(): void;
  reset(): void;
  select(): void;
  type: string;
  value: string;
}

interface ParentNode {
  querySelector(selectors: string): Part | null;
  querySelectorAll(selectors: string): NodeListOf<Part>;
}
interface Element { closest(selectors: string): Part | null }
interface Document {
  getElementById(id: string): Part | null;
  addEventListener(type: string, listener: (event: PageEvent) => void, options?: object | boolean): void;
}
interface HTMLElement {
  addEventListener(type: string, listener: (event: PageEvent) => void, options?: object | boolean): void;
}

/** An event on this page, of any kind: keys, pointers, forms, htmx. */
type PageEvent = Omit<KeyboardEvent & PointerEvent & FormDataEvent, "target" | "detail"> & { target: Part; detail: any };
