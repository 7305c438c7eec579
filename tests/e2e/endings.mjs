// How a provider's answer can end other than well, as edits of the frames of a good answer. Each has a name, the
// answer that it spoils, and for each protocol that has such an ending what a client must get: `whole` (all of the
// answer), `mended` (all of it, with U+FFFD for what cannot be read) or `broken` (an error, or all of the answer from
// whoever takes over). `edit` gives the frames to write, and `then` says what happens to the connection.
import { protocols } from './protocols.mjs';

const every = (what) => ({ chat: what, messages: what, responses: what });
const broken = every('broken');
const whole = every('whole');

const done = 'data: [DONE]\n\n';
const terminal = { chat: done, messages: 'event: message_stop\ndata: {"type":"message_stop"}\n\n', responses: done };
const is_terminal = (frame) => frame === done || frame.startsWith('event: message_stop');
const is_finish = (frame) => /"finish_reason":"|"type":"message_delta"|"type":"response\.completed"/.test(frame);
const is_usage = (frame) => frame.includes('"choices":[]');
const is_text = (frame) => frame.includes('"71 "');

const before = (frames, is) => frames.slice(0, frames.findIndex(is));
const from = (frames, is) => frames.slice(frames.findIndex(is));
const replaced = (frames, is, by) => frames.flatMap((frame) => (is(frame) ? by(frame) : [frame]));

/** Those that carry a piece of a call's arguments. */
const piece = /"(?:arguments|partial_json|delta)":("\{\\"tan"|"k\\":\\"north\\"\}")/;
const is_piece = (frame) => piece.test(frame);
const whole_arguments = JSON.stringify('{"tank":"north"}');

/** The call's arguments in other pieces; `rest` is what the events that repeat them say. */
function in_pieces(frames, pieces, rest = whole_arguments) {
  const [first] = frames.filter(is_piece);
  const others = pieces.map((text) => first.replace(piece.exec(first)[1], () => JSON.stringify(text)));
  const [lead, tail] = [before(frames, is_piece), from(frames, is_piece).filter((frame) => !is_piece(frame))];
  return [...lead, ...others, ...tail.map((frame) => frame.replaceAll(whole_arguments, () => rest))];
}

/** As the Responses API numbers its events. */
const numbered = (frames) =>
  frames.map((frame, n) => (
    typeof frame === 'string' ? frame.replace(/"sequence_number":\d+/, `"sequence_number":${n}`) : frame));

/** A frame that is not JSON any more. */
const spoilt = {
  'a quote is missing': (frame) => [frame.replace(/(71 |north\\"\})"/, '$1')],
  'an escape that JSON lacks': (frame) => [frame.replace(/71 |north(?=\\)/, '$&\\q')],
  'a control character': (frame) => [frame.replace(/71 |north(?=\\)/, '$&\u0001')],
  'its second half is missing': (frame) => [`${frame.trimEnd().slice(0, -3)}\n\n`],
  'a comma too many': (frame) => [`${frame.trimEnd().slice(0, -1)},}\n\n`],
};

const not_utf8 = (frame) => [Buffer.from(frame.replace(/71 |north(?=\\)/, '$&\xff'), 'latin1')];

/** Errors as providers send them amid a stream that began well (docs/protocols.md 5.6). */
const said = 'The server had an error';
const errors = {
  'an `error:` field': `error: {"message":"${said}","code":500}\n\n`,
  'a bare line': `{"error":{"message":"${said}","type":"server_error"}}\n\n`,
  'error_type and error_message': `data: {"error_type":"internal","error_message":"${said}"}\n\n`,
  'detail': `data: {"detail":"${said}"}\n\n`,
  'code and msg': `data: {"code":500,"msg":"${said}"}\n\n`,
  'a list': `data: [{"error":{"code":503,"message":"${said}","status":"UNAVAILABLE"}}]\n\n`,
  'a text': `data: {"error":"${said}"}\n\n`,
  'an event named error': `event: error\ndata: {"message":"${said}"}\n\n`,
};

export const endings = [
  ['the terminal amid the text', 'text', broken, (f, p) => [...before(f, is_text), terminal[p]]],
  ['the terminal without a finish', 'text', broken,
    (f, p) => [...f.filter((one) => !is_finish(one) && !is_usage(one) && !is_terminal(one)), terminal[p]]],
  ['usage and the terminal, and no finish', 'text', { chat: 'whole' }, (f) => f.filter((one) => !is_finish(one))],
  ['a whole call and the terminal, and no finish', 'looks', { ...broken, chat: 'whole' },
    (f, p) => [...f.filter((one) => !is_finish(one) && !is_usage(one) && !is_terminal(one)), terminal[p]]],
  ['the body ends amid the text', 'text', broken, (f) => before(f, is_text)],
  ['the body ends amid an event', 'text', broken,
    (f) => [...before(f, is_text), f.find(is_text).slice(0, -20)]],
  ['the body ends amid a call', 'looks', broken, (f) => [...before(f, is_piece), f.find(is_piece)]],
  ['the body ends before the finish', 'text', broken, (f) => before(f, is_finish)],
  ['the body ends after the finish', 'text', whole, (f) => f.filter((one) => !is_terminal(one))],
  ['a reset amid the text', 'text', broken, (f) => before(f, is_text), 'cut'],
  ['a reset amid a call', 'looks', broken, (f) => [...before(f, is_piece), f.find(is_piece)], 'cut'],
  ['a reset before the finish', 'text', broken, (f) => before(f, is_finish), 'cut'],
  ['a reset after the finish', 'text', whole, (f) => f.filter((one) => !is_terminal(one)), 'cut'],
  ...Object.entries(spoilt).flatMap(([what, spoil]) => [
    [`text of broken JSON: ${what}`, 'text', broken, (f) => replaced(f, is_text, spoil)],
    [`arguments of broken JSON: ${what}`, 'looks', broken,
      (f) => replaced(f, (one) => is_piece(one) && one.includes('north'), spoil)],
  ]),
  // It becomes U+FFFD (docs/protocols.md 1.1), and the answer is as whole as the provider made it.
  ['text with a byte that is not UTF-8', 'text', every('mended'), (f) => replaced(f, is_text, not_utf8)],
  ['arguments with a byte that is not UTF-8', 'looks', every('mended'), (f) => replaced(f, is_piece, not_utf8)],
  ['arguments cut, then a finish', 'looks', broken, (f) => in_pieces(f, ['{"tan'], '"{\\"tan"')],
  ['arguments cut, then `stop`', 'looks', { chat: 'broken', messages: 'broken' }, (f) => in_pieces(f, ['{"tan']).map(
    (one) => one.replace(/_reason":"tool_calls"/, '_reason":"stop"').replace(/_reason":"tool_use"/, '_reason":"end_turn"'))],
  ['arguments cut, then the terminal', 'looks', broken,
    (f, p) => [...in_pieces(f, ['{"tan'], '"{\\"tan"').filter((one) => !is_finish(one) && !is_terminal(one)), terminal[p]]],
  ['the finish twice', 'text', whole, (f) => replaced(f, is_finish, (one) => [one, one])],
  ['the whole end twice', 'text', whole, (f) => [...f, ...from(f, is_finish)]],
  ['the finish with every piece', 'text', { chat: 'whole' },
    (f) => f.map((one) => one.replace('"finish_reason":null', '"finish_reason":"stop"'))],
  ['the finish taken back', 'text', { chat: 'whole' },
    (f) => [...before(f, is_text), f.find(is_finish), ...from(f, is_text)]],
  ['the finish taken back, and a reset', 'text', { chat: 'broken' },
    (f) => [...before(f, is_text), f.find(is_finish), f.find(is_text)], 'cut'],
  ['arguments once more as a whole', 'looks', whole,
    (f) => in_pieces(f, ['{"tan', 'k":"north"}', '{"tank":"north"}'])],
  ['arguments in cumulative pieces', 'looks', whole, (f) => in_pieces(f, ['{"tan', '{"tank":"no', '{"tank":"north"}'])],
  ['arguments behind {}', 'looks', whole, (f) => in_pieces(f, ['{}', '{"tank":"north"}'])],
  ['an error', 'text', broken, (f, p) => [...before(f, is_text), protocols[p].broken]],
  ['an error, then the rest', 'text', broken, (f, p) => [...before(f, is_text), protocols[p].broken, ...from(f, is_text)]],
  ...Object.entries(errors).flatMap(([form, frame]) => [
    [`an error: ${form}`, 'text', broken, (f) => [...before(f, is_text), frame]],
    [`an error, then the terminal: ${form}`, 'text', broken, (f, p) => [...before(f, is_text), frame, terminal[p]]],
  ]),
].map(([name, spoils, gives, edit, then]) => (
  { name, spoils, gives, then, edit: (frames, protocol) => numbered(edit(frames, protocol)) }));

/** The answer cut short before each of its events. */
export const cuts = (answer, protocol) => {
  const frames = protocols[protocol].frames({ model: 'any', stream_options: {} }, answer);
  return frames.slice(1).map((_, n) => (all) => all.slice(0, n + 1));
};
