// The files of the recipe are embedded in the program as text (`with { type: "text" }`).
declare module "*.sh" {
  const text: string;
  export default text;
}
declare module "*/inittab" {
  const text: string;
  export default text;
}
declare module "*/Dockerfile" {
  const text: string;
  export default text;
}
