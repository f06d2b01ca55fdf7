declare const ko: {
  /** The model's files by their path. */
  readonly model: { readonly [path: string]: URL };
  readonly table: { readonly url: URL; readonly size: number; readonly sha256: string };
};
export default ko;
