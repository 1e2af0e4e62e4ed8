import { dirname, join } from 'node:path';
import ts from 'typescript';
import { moduleOf } from './snippets.mjs';

/**
 * Type-checks each snippet as a module of its own, by the rules of a tsconfig, as if it lay beside that file.
 *
 * @param {string} configFile - absolute path of the tsconfig
 * @param {readonly import('./snippets.mjs').Snippet[]} snippets
 * @returns {import('./repository.mjs').Problem[]}
 */
export function checkTypes(configFile, snippets) {
  const folder = dirname(configFile);
  const config = ts.readConfigFile(configFile, ts.sys.readFile).config;
  const { options: configured } = ts.parseJsonConfigFileContent(config, ts.sys, folder);
  // A block without imports is a module, too: it must not see what another one declares.
  const options = { ...configured, noEmit: true, moduleDetection: ts.ModuleDetectionKind.Force };

  const modules = new Map(
    snippets
      .filter(({ fragment }) => !fragment)
      .map((snippet, index) => [join(folder, `snippet-${index + 1}.ts`), snippet]),
  );
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => modules.has(path) || fileExists.call(host, path);
  host.readFile = (path) => sourceOf(path) ?? readFile.call(host, path);
  host.getSourceFile = (path, languageVersion, ...rest) => {
    const source = sourceOf(path);
    return source === undefined
      ? getSourceFile.call(host, path, languageVersion, ...rest)
      : ts.createSourceFile(path, source, languageVersion, true);
  };
  const program = ts.createProgram([...modules.keys()], options, host);

  return [...modules].flatMap(([path, { file }]) => {
    const source = program.getSourceFile(path);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ start = 0, messageText }) => ({
        file,
        line: (source?.getLineAndCharacterOfPosition(start).line ?? 0) + 1,
        message: ts.flattenDiagnosticMessageText(messageText, '\n  '),
      }),
    );
  });

  /** @param {string} path */
  function sourceOf(path) {
    const snippet = modules.get(path);
    return snippet === undefined ? undefined : moduleOf(snippet);
  }
}
