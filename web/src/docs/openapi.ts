// What this page reads of an OpenAPI 3.1 document, and the document made into sections.

export interface Schema {
  $ref?: string;
  type?: string | string[];
  description?: string;
  enum?: unknown[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  allOf?: Schema[];
  examples?: unknown[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
}

export interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema?: Schema;
}

interface Content {
  schema?: Schema;
  examples?: Record<string, { value?: unknown }>;
}

export interface Operation {
  summary?: string;
  description?: string;
  tags?: string[];
  parameters?: Parameter[];
  requestBody?: { content: Record<string, Content> };
  responses?: Record<string, { description?: string; content?: Record<string, Content> }>;
}

export interface Document {
  info: { title: string; version: string };
  paths: Record<string, Record<string, Operation>>;
  components?: { schemas?: Record<string, Schema> };
}

export interface Call {
  id: string;
  method: string;
  path: string;
  operation: Operation;
}

export interface Field {
  name: string;
  type: string;
  required: boolean;
  note: string;
}

/** The calls by tag, in the document's order. */
export function sections(document: Document): [string, Call[]][] {
  const found = new Map<string, Call[]>();
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const tag = operation.tags?.[0] ?? 'other';
      const call = { id: `${method}-${path}`.replaceAll(/[^a-z0-9]+/gi, '-'), method: method.toUpperCase(), path, operation };
      found.set(tag, [...(found.get(tag) ?? []), call]);
    }
  }
  return [...found];
}

/** A schema with its reference followed. */
export function resolved(schema: Schema, document: Document): Schema {
  if (schema.allOf?.length === 1) return resolved(schema.allOf[0]!, document);
  const name = schema.$ref?.split('/').at(-1);
  return name === undefined ? schema : (document.components?.schemas?.[name] ?? {});
}

/** A type in a few words. */
export function typeOf(raw: Schema | undefined, document: Document): string {
  if (raw === undefined) return 'any';
  const schema = resolved(raw, document);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return choices.map((choice) => typeOf(choice, document)).join(' | ');
  if (schema.items !== undefined) return `list of ${typeOf(schema.items, document)}`;
  return Array.isArray(schema.type) ? schema.type.join(' | ') : (schema.type ?? 'object');
}

/** The fields of an object, nested ones by their path. */
export function fields(raw: Schema, document: Document, before = '', depth = 0): Field[] {
  const schema = resolved(raw, document);
  return Object.entries(schema.properties ?? {}).flatMap(([name, value]) => {
    const inner = resolved(value, document);
    const object = inner.properties !== undefined ? inner : (inner.anyOf ?? inner.oneOf)?.map((s) => resolved(s, document)).find((s) => s.properties);
    const limits = [
      inner.minimum === undefined ? '' : `≥ ${inner.minimum}`,
      inner.maximum === undefined ? '' : `≤ ${inner.maximum}`,
      inner.maxLength === undefined ? '' : `≤ ${inner.maxLength} characters`,
    ];
    const field = {
      name: before + name,
      type: typeOf(value, document),
      required: schema.required?.includes(name) ?? false,
      note: [inner.description ?? '', ...limits].filter((part) => part !== '').join(' · '),
    };
    return [field, ...(object !== undefined && depth < 2 ? fields(object, document, `${before}${name}.`, depth + 1) : [])];
  });
}

/** The first example of a body or answer. */
export function example(content: Record<string, Content> | undefined): unknown {
  const first = Object.values(content ?? {})[0];
  return Object.values(first?.examples ?? {})[0]?.value ?? first?.schema?.examples?.[0];
}
