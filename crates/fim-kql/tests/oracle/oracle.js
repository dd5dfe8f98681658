// Answers, for each query on stdin, what the official parser says of it.
//
// stdin:  {"tables": [["Name", "a:long, b:string"], …], "workspaces": ["name", …], "queries": ["…", …], "syntaxOnly": false}
//         With syntaxOnly names and types are not looked up.
// stdout: [{"errors": ["KS142 …", …], "columns": ["a:long", …] | null}, …]
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const folder = path.join(__dirname, "node_modules", "@kusto", "language-service-next");
require(path.join(folder, "bridge.min.js"));
require(path.join(folder, "Kusto.Language.Bridge.min.js"));
const { GlobalState, KustoCode, Symbols } = global.Kusto.Language;

// The library is compiled from C#: an overloaded constructor has several names, and which is which is not told.
const constructors = (type) => Object.keys(type).filter((name) => /^\$?ctor\d*$/.test(name));

function construct(type, isRight, argumentLists) {
  for (const name of constructors(type)) {
    for (const argumentList of argumentLists) {
      try {
        const made = new type[name](...argumentList);
        if (isRight(made)) return made;
      } catch {
        // Not this overload.
      }
    }
  }
  throw new Error("no constructor of the language service fits; its version may have changed");
}

function globals(tables, workspaces) {
  const symbols = tables.map(([name, columns]) => {
    const count = columns.split(",").length;
    return construct(Symbols.TableSymbol, (table) => table.Columns?.Count === count, [[name, `(${columns})`]]);
  });
  let state;
  const isRight = (database) => {
    state = GlobalState.Default.WithDatabase(database);
    const code = KustoCode.ParseAndAnalyze(`${tables[0][0]} | count`, state);
    return code.GetDiagnostics().Count === 0 && code.ResultType?.Columns.Count === 1;
  };
  const list = global.System.Array.init(symbols, Symbols.Symbol);
  const database = (name) =>
    construct(Symbols.DatabaseSymbol, isRight, [[name, symbols], [name, list], [name, null, symbols, false], [name, null, list, false]]);
  const others = workspaces.map(database);
  const own = database("Db");
  const cluster = others.reduce((cluster, other) => cluster.AddDatabase(other), state.Cluster);
  return state.WithCluster(cluster).WithDatabase(own);
}

function each(list, render) {
  return Array.from({ length: list.Count }, (_, position) => render(list.getItem(position)));
}

const { tables, workspaces, queries, syntaxOnly } = JSON.parse(fs.readFileSync(0, "utf8"));
const state = globals(tables, workspaces);
const answers = queries.map((query) => {
  const code = syntaxOnly ? KustoCode.Parse(query) : KustoCode.ParseAndAnalyze(query, state);
  const diagnostics = each(syntaxOnly ? code.GetSyntaxDiagnostics() : code.GetDiagnostics(), (found) => found);
  return {
    errors: diagnostics.filter((found) => found.Severity === "Error").map((found) => `${found.Code} ${found.Message}`),
    columns: code.ResultType?.Columns ? each(code.ResultType.Columns, (column) => `${column.Name}:${column.Type.Name}`) : null,
  };
});
process.stdout.write(JSON.stringify(answers));
