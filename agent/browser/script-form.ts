/** Largest value one evaluation returns, characters of JSON. */
export const MAX_VALUE_CHARS = 16 * 1024 * 1024;

/**
 * Put around what is run, so that a giant string never leaves the page: DevTools would send it whole. What stands for it is an empty
 * array of its length, which no array that fits can be. Syntax alone does it: the page may have replaced every built-in.
 */
const MEASURED = `(v=>{if(typeof v!=="string"||v.length<=${MAX_VALUE_CHARS})return v;const a=[];a.length=v.length;return a})`;
/** The same, of what a promise or any thenable comes to. */
const MEASURED_LATER = `(v=>v!==null&&(typeof v==="object"||typeof v==="function")?(async()=>${MEASURED}(await v))():${MEASURED}(v))`;
const LEADING = /^(?:\s|\/\/[^\n]*\n|\/\*[^]*?\*\/)*/;
/** At the begin of a script these are no expressions, though in brackets they would be. */
const STATEMENT = /^(?:\{|function\b|async\s+function\b|class\b|let\b)/;

/** Of the places where a script's last statement could begin. */
const MAX_TRIES = 20;

export type Script = { expression: string; replMode: boolean };

/**
 * A script whose value is measured before it travels, and that means what it meant. Where the last statement is no expression of
 * its own (a loop, `if`), the value comes as it is.
 */
export function measuredScript(source: string, awaitPromise: boolean): Script {
  const measure = awaitPromise ? MEASURED_LATER : MEASURED;
  const replMode = !compiles(source, false) && compiles(source, true); // `await` may stand at its top, as in a console
  let text = source.replace(/[;\s]+$/, "");
  if (isExpression(text, replMode)) return { expression: `${measure}((${text}\n))`, replMode };
  let end = text.length;
  for (let tries = 0; tries < MAX_TRIES && (end = text.lastIndexOf(";", end - 1)) > 0; tries++) {
    const head = text.slice(0, end + 1);
    const tail = text.slice(end + 1);
    // What follows a `;` of a comment, a string or a loop's head could be anything.
    if (!compiles(head, replMode) || compiles(`${head}@`, replMode)) continue;
    const isComment = `${tail}\n`.replace(LEADING, "") === "";
    const [before, value] = isComment ? ["", head.replace(/[;\s]+$/, "")] : [head, tail];
    if (isExpression(value, replMode)) return { expression: `${before}${measure}((${value}\n))`, replMode };
    if (!isComment) break;
    text = value;
    end = text.length;
  }
  return { expression: source, replMode };
}

/**
 * The same of a function with so many parameters. What is no function stays what it is, for Chromium to refuse.
 * @param prepare an expression: an array of further arguments, made of the last parameter
 */
export function measuredFunction(source: string, parameters: number, awaitPromise: boolean, prepare?: string): string {
  const names = Array.from({ length: parameters }, (_, index) => `p${index}`);
  const measure = awaitPromise ? MEASURED_LATER : MEASURED;
  const last = names.at(-1);
  const call = prepare
    ? `f.call(this${names
        .slice(0, -1)
        .map((name) => `,${name}`)
        .join("")},...(${prepare})(${last}))`
    : `f.call(${["this", ...names].join(",")})`;
  return `(f=>typeof f!=="function"?f:function(${names.join(",")}){return ${measure}(${call})})((${source}\n))`;
}

function isExpression(source: string, isAsync: boolean): boolean {
  if (STATEMENT.test(source.replace(LEADING, ""))) return false;
  return compiles(source, isAsync) && compiles(`return (${source}\n)`, isAsync);
}

const AsyncFunction = (async () => {}).constructor as FunctionConstructor;

/** Whether it is JavaScript; nothing is run. */
function compiles(source: string, isAsync: boolean): boolean {
  try {
    return Boolean(isAsync ? new AsyncFunction(source) : new Function(source));
  } catch {
    return false;
  }
}
