// What the browser's own types do not know of our pages.

/** htmx, which django_htmx brings. */
interface Htmx {
  process(element: Element): void;
  trigger(element: Element | string, event: string): void;
  ajax(verb: string, path: string, context: object): Promise<void>;
}

interface Window {
  htmx?: Htmx;
}

/** The query of a page finds elements of HTML: those of SVG are asked for by their tag. */
interface ParentNode {
  querySelector<K extends keyof HTMLElementTagNameMap>(selectors: K): HTMLElementTagNameMap[K] | null;
  querySelector<K extends keyof SVGElementTagNameMap>(selectors: K): SVGElementTagNameMap[K] | null;
  querySelector<E extends Element = HTMLElement>(selectors: string): E | null;
  querySelectorAll<K extends keyof HTMLElementTagNameMap>(selectors: K): NodeListOf<HTMLElementTagNameMap[K]>;
  querySelectorAll<K extends keyof SVGElementTagNameMap>(selectors: K): NodeListOf<SVGElementTagNameMap[K]>;
  querySelectorAll<E extends Element = HTMLElement>(selectors: string): NodeListOf<E>;
}

interface HtmxRequest {
  elt: HTMLElement;
  xhr: XMLHttpRequest;
  successful: boolean;
  requestConfig: { elt: HTMLElement; verb: string };
}

interface RequestNews {
  id: string;
  /** Of several runs that were submitted together. */
  ids?: string[];
  compare?: string;
}

/** Events of htmx, and those that the server names in HX-Trigger. */
interface GlobalEventHandlersEventMap {
  "htmx:afterRequest": CustomEvent<HtmxRequest>;
  "htmx:afterSwap": CustomEvent & { target: HTMLElement };
  "htmx:configRequest": CustomEvent<{ headers: Record<string, string> }>;
  "htmx:oobAfterSwap": CustomEvent<{ target: HTMLElement }>;
  "htmx:sendError": CustomEvent<HtmxRequest>;
  "htmx:timeout": CustomEvent<HtmxRequest>;
  "htmx:responseError": CustomEvent<HtmxRequest>;
  "key:act": CustomEvent<string>;
  "lightbox:more": CustomEvent<{ wait?: Promise<void> }>;
  "request:acted": CustomEvent<RequestNews>;
  "request:created": CustomEvent<RequestNews>;
  "request:starred": CustomEvent<{ id: string; on: boolean }>;
  "request:tagged": CustomEvent<RequestNews>;
  "result:shown": CustomEvent<RequestNews>;
  "row:again": CustomEvent & { target: HTMLElement };
  "runs:choose": CustomEvent<{ ids: string[] }>;
  "times:chosen": CustomEvent<{ zone: string; has_ages: boolean; hours: number }>;
  toast: CustomEvent<{ text: string; error?: boolean }>;
}
