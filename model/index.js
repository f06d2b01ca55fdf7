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
    size: 2315429,
    sha256: '07c30bd3a695e1b54350b47e642babb50cc79b822303ae6680011e8c14978296',
  },
};
