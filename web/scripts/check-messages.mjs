// Fails when a language lacks a message, has one too many, or when no screen uses a message any more.
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', 'src');
const messages = join(root, 'lib', 'messages');

const files = readdirSync(messages).map((name) => join(messages, name));
const program = ts.createProgram(files, {
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
});
const problems = ts
  .getPreEmitDiagnostics(program)
  .map((d) => `${d.file?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(d.messageText, '\n')}`);

const keys = [];
const zh = program.getSourceFile(join(messages, 'zh.ts'));
ts.forEachChild(zh, (statement) => {
  if (!ts.isVariableStatement(statement)) return;
  const literal = statement.declarationList.declarations[0].initializer;
  for (const property of literal.properties) keys.push(property.name.text);
});

const sources = readdirSync(root, { recursive: true })
  .filter((name) => /\.(svelte|ts)$/.test(name) && !name.includes('messages'))
  .map((name) => readFileSync(join(root, name), 'utf8'))
  .join('\n');
for (const key of keys) {
  if (!new RegExp(`\\b(t|messages)\\.${key}\\b`).test(sources)) problems.push(`no screen uses the message "${key}"`);
}

if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exit(1);
}
