/** Kernel configurations are imported as text. */
declare module "*.config" {
  const text: string;
  // biome-ignore lint/style/noDefaultExport: that is how Bun hands out a file's text
  export default text;
}
