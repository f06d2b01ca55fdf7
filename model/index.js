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
  table: new URL('./table/ko.safetensors', import.meta.url),
};
