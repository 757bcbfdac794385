// Fails when a language lacks a message, has one too many, or when no screen uses a message any more.
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', 'src');
const messages = join(root, 'lib', 'messages');

/** A page's own words lie beside it in messages/NAME.zh.ts; its screens read them as `w` and the field's codes as `c`. */
const ofPages = readdirSync(root, { recursive: true })
  .filter((name) => /messages[\\/]\w+\.(zh|en)\.ts$/.test(name))
  .map((name) => join(root, name));
const files = [...readdirSync(messages).map((name) => join(messages, name)), ...ofPages];
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

function keysOf(file) {
  const keys = [];
  ts.forEachChild(program.getSourceFile(file), (statement) => {
    if (!ts.isVariableStatement(statement)) return;
    const literal = statement.declarationList.declarations[0].initializer;
    for (const property of literal.properties) keys.push(property.name.text);
  });
  return keys;
}

const sources = readdirSync(root, { recursive: true })
  .filter((name) => /\.(svelte|ts)$/.test(name) && !name.includes('messages'))
  .map((name) => readFileSync(join(root, name), 'utf8'))
  .join('\n');
function checkUsed(file, reader) {
  for (const key of keysOf(file)) {
    if (!new RegExp(`\\b${reader}\\.${key}\\b`).test(sources)) problems.push(`no screen uses the message "${key}" of ${file}`);
  }
}
checkUsed(join(messages, 'zh.ts'), '(t|messages)');
for (const file of ofPages.filter((name) => name.endsWith('.zh.ts'))) checkUsed(file, file.endsWith('codes.zh.ts') ? 'c' : 'w');

if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exit(1);
}
