/**
 * The Korean model and table, for `Gyeot.load(ko)`. Each file is named by an expression that
 * bundlers know, so that they emit it.
 */
export default {
  model: {
    'gyeot.json': new URL('./default/gyeot.json', import.meta.url),
    'onnx/model_quantized.onnx.gyw': new URL('./default/onnx/model_quantized.onnx.gyw', import.meta.url),
    'sentencepiece.bpe.model': new URL('./default/sentencepiece.bpe.model', import.meta.url),
  },
  // With its length known, progress is exact on hosts that send it compressed, too.
  table: {
    url: new URL('./table/ko.safetensors', import.meta.url),
    size: 1676355,
    sha256: 'ff1ba6a27339b8c7bd7d9cd1700a979a9bc4129a5e2b34f5bcd512daca32c600',
  },
};
