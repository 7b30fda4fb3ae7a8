import { dirname, join } from 'node:path/posix';
import ts from 'typescript';

/** One import, re-export or dynamic import of a source file. */
export interface Import {
  readonly line: number;
  /** The imported file, relative to the repository, or null when it is a package. */
  readonly file: string | null;
  /** The imported package (`xstate`, `node:fs`), or null when it is a file. */
  readonly package: string | null;
  /** Nothing of it is left when the program runs. */
  readonly typeOnly: boolean;
}

/** Something that the platform answers differently in each run: time, randomness, timers. */
export interface PlatformUse {
  readonly line: number;
  readonly what: string;
}

export interface Source {
  /** Relative to the repository, with `/`. */
  readonly path: string;
  readonly imports: readonly Import[];
  readonly platformUses: readonly PlatformUse[];
}

const GLOBAL_FUNCTIONS = new Set(['setTimeout', 'setInterval', 'setImmediate']);
const MEMBERS = new Set([
  'AbortSignal.timeout',
  'crypto.getRandomValues',
  'crypto.randomUUID',
  'Date.now',
  'Math.random',
  'performance.now',
  'process.hrtime',
]);
const PACKAGES = new Set([
  'node:timers',
  'node:timers/promises',
  'node:perf_hooks',
  'timers',
  'timers/promises',
  'perf_hooks',
]);
const IMPORTED_NAMES = new Set(['randomUUID', 'randomBytes', 'randomInt']);

export function parseSource(path: string, text: string): Source {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const imports: Import[] = [];
  const platformUses: PlatformUse[] = [];
  const lineOf = (node: ts.Node) => file.getLineAndCharacterOfPosition(node.getStart()).line + 1;

  const visit = (node: ts.Node): void => {
    const imported = importIn(node);
    if (imported !== null) {
      const target = targetOf(path, imported.specifier);
      imports.push({ line: lineOf(node), typeOnly: imported.typeOnly, ...target });
      if (target.package !== null && PACKAGES.has(target.package) && !imported.typeOnly) {
        platformUses.push({ line: lineOf(node), what: target.package });
      }
    }
    const what = platformUseIn(node);
    if (what !== null) platformUses.push({ line: lineOf(node), what });
    ts.forEachChild(node, visit);
  };
  visit(file);
  return { path, imports, platformUses };
}

function targetOf(path: string, specifier: string): Pick<Import, 'file' | 'package'> {
  if (specifier.startsWith('.')) {
    return { file: join(dirname(path), specifier).replace(/\.js$/, '.ts'), package: null };
  }
  const name = specifier.startsWith('node:')
    ? specifier
    : specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1);
  return { file: null, package: typeof name === 'string' ? name : name.join('/') };
}

function importIn(node: ts.Node): { specifier: string; typeOnly: boolean } | null {
  if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
    return { specifier: node.moduleSpecifier.text, typeOnly: importsTypesOnly(node.importClause) };
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined && ts.isStringLiteral(node.moduleSpecifier)) {
    const names = node.exportClause;
    const typeOnly =
      node.isTypeOnly ||
      (names !== undefined && ts.isNamedExports(names) && names.elements.every((name) => name.isTypeOnly));
    return { specifier: node.moduleSpecifier.text, typeOnly };
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument) && ts.isStringLiteral(node.argument.literal)) {
    return { specifier: node.argument.literal.text, typeOnly: true };
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    const [specifier] = node.arguments;
    if (specifier !== undefined && ts.isStringLiteralLike(specifier))
      return { specifier: specifier.text, typeOnly: false };
  }
  return null;
}

function importsTypesOnly(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const names = clause.namedBindings;
  return (
    clause.name === undefined &&
    names !== undefined &&
    ts.isNamedImports(names) &&
    names.elements.length > 0 &&
    names.elements.every((name) => name.isTypeOnly)
  );
}

function platformUseIn(node: ts.Node): string | null {
  if (ts.isNewExpression(node) && isGlobal(node.expression, 'Date') && (node.arguments?.length ?? 0) === 0) {
    return 'new Date()';
  }
  if (ts.isCallExpression(node) && isGlobal(node.expression, 'Date')) return 'Date()';
  if (ts.isPropertyAccessExpression(node)) {
    const member = `${nameOf(node.expression) ?? ''}.${node.name.text}`;
    if (MEMBERS.has(member)) return member;
    if (nameOf(node.expression) === 'globalThis' && GLOBAL_FUNCTIONS.has(node.name.text)) return node.name.text;
  }
  if (ts.isImportSpecifier(node)) {
    const name = (node.propertyName ?? node.name).text;
    return IMPORTED_NAMES.has(name) ? name : null;
  }
  if (ts.isIdentifier(node) && GLOBAL_FUNCTIONS.has(node.text) && isValue(node)) return node.text;
  return null;
}

/** `Date`, or `globalThis.Date`. */
function isGlobal(node: ts.Expression, name: string): boolean {
  return nameOf(node) === name;
}

/** The last name of `a`, or of `globalThis.a`; null for any other expression. */
function nameOf(node: ts.Expression): string | null {
  if (ts.isIdentifier(node)) return node.text;
  const isOfGlobalThis =
    ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'globalThis';
  return isOfGlobalThis ? node.name.text : null;
}

/** Whether an identifier stands for a value here, rather than naming a member, a type or what it declares. */
function isValue(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isPropertyAssignment(parent)) return parent.initializer === node;
  if (ts.isTypeQueryNode(parent)) return false;
  const declares =
    ts.isMethodDeclaration(parent) ||
    ts.isMethodSignature(parent) ||
    ts.isPropertyDeclaration(parent) ||
    ts.isPropertySignature(parent) ||
    ts.isParameter(parent) ||
    ts.isVariableDeclaration(parent) ||
    ts.isFunctionDeclaration(parent);
  return !(declares && parent.name === node);
}
