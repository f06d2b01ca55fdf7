declare const ko: {
  /** The model's files by their path. */
  readonly model: { readonly [path: string]: URL };
  readonly table: URL;
};
export default ko;
