/** Files embedded as text (`with { type: "text" }`). */
declare module "*/LICENSE" {
  const text: string;
  export default text;
}
declare module "*.md" {
  const text: string;
  export default text;
}
