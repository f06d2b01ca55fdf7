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
    sha256: '79d8b4ba629f41b0cd0ed2813020dccff496d79101f42812c9c0ad1e009ad4b5',
  },
};
