// Runs CloudFront Functions, one a line of standard input, each in a fresh context that holds nothing of Node's.
// Asked: {code, event, stores, seconds}; answered: {value | error, logs, milliseconds}. See javascript.py.
"use strict";
const vm = require("vm");
const crypto = require("crypto");
const querystring = require("querystring");
const { StringDecoder } = require("string_decoder");

const answer = process.stdout.write.bind(process.stdout);
process.stdout.write = () => true;
process.stderr.write = () => true;
// What a function is given of Node's (Buffer) must not lead it to Node's own Function either.
for (const one of [function () {}, async function () {}, function* () {}, async function* () {}]) {
  Object.defineProperty(Object.getPrototypeOf(one), "constructor", { value: undefined });
}

// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-javascript-runtime-20.html
const HASHES = ["md5", "sha1", "sha256"];
const LOG_BYTES = 10240;
const VALUE_LENGTH = 1 << 20; // AWS publishes none for these functions

function digest(kind, algorithm, secret, parts, encoding) {
  if (!HASHES.includes(algorithm)) throw new TypeError(`not supported algorithm: ${algorithm}`);
  const made = kind === "hmac" ? crypto.createHmac(algorithm, secret) : crypto.createHash(algorithm);
  for (const part of parts) made.update(part);
  return encoding === undefined ? made.digest() : made.digest(encoding);
}

// What a function finds besides the language itself. Runs inside the context, so that what it makes is of the context.
const PRELUDE = new vm.Script(`(function (outside) {
  "use strict";
  const { digest, stores, now, log } = outside;
  const shown = (value) => (typeof value === "string" ? value : value instanceof Error ? String(value) : JSON.stringify(value));
  const hashing = (kind, algorithm, secret) => {
    const parts = [];
    return {
      update(data) { parts.push(data); return this; },
      digest(encoding) { return digest(kind, algorithm, secret, parts, encoding); },
    };
  };
  const store = (arn) => {
    const pairs = stores[arn];
    const named = (key) => Object.prototype.hasOwnProperty.call(pairs, key);
    return {
      async get(key, options) {
        if (!named(key)) throw new Error("KeyNotFound: the key " + key + " is not in the key value store");
        const format = (options && options.format) || "string";
        if (format === "json") return JSON.parse(pairs[key]);
        return format === "bytes" ? outside.bytes(pairs[key]) : pairs[key];
      },
      async exists(key) { return named(key); },
      async count() { return Object.keys(pairs).length; },
      async meta() {
        const times = { creationDateTime: outside.made[arn], lastUpdatedDateTime: outside.made[arn] };
        return { ...times, keyCount: Object.keys(pairs).length };
      },
    };
  };
  const kvs = (id) => {
    const arns = Object.keys(stores);
    const found = id === undefined ? arns : arns.filter((arn) => arn === id || arn.endsWith("/" + id));
    if (found.length === 0) throw new Error("no key value store is associated with this function");
    return store(found[0]);
  };
  const modules = {
    crypto: { createHash: (name) => hashing("hash", name), createHmac: (name, secret) => hashing("hmac", name, secret) },
    querystring: outside.querystring,
    buffer: { Buffer: outside.Buffer },
    cloudfront: { kvs },
  };
  globalThis.require = (name) => {
    if (!Object.prototype.hasOwnProperty.call(modules, name)) throw new Error('Cannot find module "' + name + '"');
    return modules[name];
  };
  globalThis.console = { log: (...values) => log(values.map(shown).join(" ")) };
  globalThis.Buffer = outside.Buffer;
  globalThis.atob = outside.atob;
  globalThis.btoa = outside.btoa;
  globalThis.TextEncoder = outside.TextEncoder;
  globalThis.TextDecoder = outside.TextDecoder;
  const Real = Date;
  const Fixed = function Date(...parts) {
    if (!new.target) return new Real(now).toString();
    return Reflect.construct(Real, parts.length ? parts : [now], new.target);
  };
  Fixed.prototype = Real.prototype;
  Fixed.now = () => now;
  Fixed.parse = Real.parse;
  Fixed.UTC = Real.UTC;
  globalThis.Date = Fixed;
})`);

// Modules are a fixed few, so an import statement is the same as a call of require.
const IMPORT = /^[ \t]*import\s+(?:\*\s*as\s+(\w+)|\{([^}]*)\}|(\w+))\s+from\s+['"]([^'"]+)['"][ \t]*;?/gm;
const compiled = new Map();

function compile(code) {
  let script = compiled.get(code);
  if (!script) {
    const rewritten = code.replace(IMPORT, (_, all, some, one, source) => {
      const found = `require(${JSON.stringify(source)})`;
      return some ? `const {${some.replace(/\s+as\s+/g, ": ")}} = ${found};` : `const ${all || one} = ${found};`;
    });
    const ending = `\n;globalThis.__handler = typeof handler === "function" ? handler : undefined;`;
    script = new vm.Script(`"use strict";${rewritten}${ending}`, { filename: "function.js" });
    compiled.set(code, script);
  }
  return script;
}

const CALL = new vm.Script(`(function () {
  const finish = (kind, value) => { globalThis.__ended = [kind, value]; };
  if (typeof __handler !== "function") return finish("error", "the function has no handler(event)");
  const text = (error) => String(error);
  try {
    Promise.resolve(__handler(JSON.parse(__event))).then(
      (value) => finish("value", JSON.stringify(value === undefined ? null : value)),
      (error) => finish("error", text(error)),
    );
  } catch (error) {
    finish("error", text(error));
  }
})()`);

function run(asked) {
  const logs = [];
  let size = 0;
  const log = (line) => {
    size += line.length;
    if (size <= LOG_BYTES) logs.push(line);
  };
  const context = vm.createContext(Object.create(null), {
    codeGeneration: { strings: false, wasm: false },
    microtaskMode: "afterEvaluate",
  });
  const began = process.hrtime.bigint();
  const spent = () => Number(process.hrtime.bigint() - began) / 1e6;
  const options = { timeout: asked.seconds * 1000 };
  try {
    PRELUDE.runInContext(context)({
      digest, log, now: Date.now(), querystring, Buffer, atob, btoa, TextEncoder, TextDecoder,
      stores: asked.stores, made: asked.made, bytes: (text) => Buffer.from(text),
    });
    compile(asked.code).runInContext(context, options);
    context.__event = JSON.stringify(asked.event);
    CALL.runInContext(context, options);
    const [kind, value] = context.__ended || ["error", "the function did not finish: it waits for what never comes"];
    if (kind === "value" && value.length > VALUE_LENGTH) throw new Error("the function returned too much");
    return kind === "value" ? { value: JSON.parse(value), logs, milliseconds: spent() } : { error: String(value), logs, milliseconds: spent() };
  } catch (error) {
    const late = error && error.code === "ERR_SCRIPT_EXECUTION_TIMEOUT";
    return { error: late ? "The function exceeded its compute time" : String(error), logs, milliseconds: spent() };
  }
}

const decoder = new StringDecoder("utf8");
let waiting = "";
process.stdin.on("data", (chunk) => {
  waiting += decoder.write(chunk);
  for (let end; (end = waiting.indexOf("\n")) >= 0; waiting = waiting.slice(end + 1)) {
    let said;
    try {
      said = run(JSON.parse(waiting.slice(0, end)));
    } catch (error) {
      said = { error: String(error), logs: [], milliseconds: 0 };
    }
    answer(JSON.stringify(said) + "\n");
  }
});
