declare module 'virtual:kusto' {
  export const Kusto: import('./bridge').KustoLibrary;
  export const Bridge: import('./bridge').BridgeLibrary;
}
