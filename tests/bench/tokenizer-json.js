/** A SentencePiece unigram model as the tokenizer.json that peers read (XLM-R's layout). */

/** The fields of one protobuf message: `[number, value]`, bytes for length-delimited ones. */
function* fields(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const kind = key & 7;
    if (kind === 0) yield [key >>> 3, varint()];
    else if (kind === 5) yield [key >>> 3, view.getFloat32((at += 4) - 4, true)];
    else {
      const size = varint();
      yield [key >>> 3, bytes.subarray(at, at + size)];
      at += size;
    }
  }
}

/** sentencepiece_model.proto: 1 pieces (1 text, 2 score), 3 normalizer (2 character map). */
export function tokenizerJson(model) {
  const text = new TextDecoder();
  const vocab = [];
  let charsmap = '';
  for (const [number, value] of fields(model)) {
    if (number === 1) {
      const piece = Object.fromEntries(fields(value));
      vocab.push([text.decode(piece[1]), piece[2] ?? 0]);
    } else if (number === 3) {
      const map = Object.fromEntries(fields(value))[2];
      charsmap = Buffer.from(map ?? []).toString('base64');
    }
  }
  // Hugging Face's order: <s> <pad> </s> <unk>, the pieces, <mask>.
  const special = ['<s>', '<pad>', '</s>', '<unk>'];
  const all = [...special.map((piece) => [piece, 0]), ...vocab.slice(3), ['<mask>', 0]];
  const token = (id) => ({
    id, content: all[id][0], single_word: false, lstrip: false, rstrip: false, normalized: false, special: true,
  });
  const metaspace = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true, add_prefix_space: true };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [0, 1, 2, 3, all.length - 1].map(token),
    normalizer: { type: 'Precompiled', precompiled_charsmap: charsmap },
    pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, metaspace] },
    post_processor: {
      type: 'TemplateProcessing',
      single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }, { SpecialToken: { id: '</s>', type_id: 0 } }],
      pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 0 } }],
      special_tokens: {
        '<s>': { id: '<s>', ids: [0], tokens: ['<s>'] },
        '</s>': { id: '</s>', ids: [2], tokens: ['</s>'] },
      },
    },
    decoder: metaspace,
    model: { type: 'Unigram', unk_id: 3, vocab: all, byte_fallback: false },
  };
}
