/** What a person types for an element: a ref of a snapshot (`e7`, `f2e7`), else a selector. */
export const element = (text: string): { ref: string } | { selector: string } =>
  /^(f\d{1,9})?e\d{1,9}$/.test(text) ? { ref: text } : { selector: text };
