import Ajv2020 from "ajv/dist/2020.js";

type Operation = { responses: Record<string, { content?: Record<string, { schema?: object }> }> };
export type Document = {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object> };
};

/** Holds replies against the OpenAPI document. @returns faults in words, none when the reply is as described. */
export function replyChecker(document: Document) {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  ajv.addSchema({ $id: "openapi:", components: document.components });
  const templates = Object.entries(document.paths).map(([template, operations]) => ({
    pattern: new RegExp(`^${template.replace(/\{[^}]+\}/g, "[^/]+")}/?$`),
    operations,
  }));
  return (method: string, path: string, reply: { status: number; type: string | null; body: string }): string[] => {
    const pathname = new URL(path, "http://localhost").pathname;
    const operation = templates.find(({ pattern }) => pattern.test(pathname))?.operations[method.toLowerCase()];
    if (!operation) return [404, 405].includes(reply.status) ? [] : [`${method} ${pathname} is not in the document`];
    const described = operation.responses[reply.status] ?? operation.responses.default;
    if (!described) return [`status ${reply.status} is not described`];
    const type = reply.type?.split(";")[0] ?? "";
    if (!described.content) return reply.body === "" ? [] : ["a body where none is described"];
    const media = described.content[type] ?? described.content[type.replace(/\/.*/, "/*")];
    if (!media) return [`${method} ${pathname} ${reply.status}: content type ${type} is not described`];
    if (!media.schema || !type.endsWith("json")) return [];
    const absolute = JSON.parse(JSON.stringify(media.schema).replaceAll('"#/', '"openapi:#/')) as object;
    const validate = ajv.compile(absolute);
    return validate(JSON.parse(reply.body)) ? [] : [`${method} ${pathname}: ${ajv.errorsText(validate.errors)}`];
  };
}
