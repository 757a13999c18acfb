// What only some need: those who write or have written here, those who want more of the list than is there, and those
// who see it change. What both scripts use is given, so that nothing is there twice.
let SERVICE, WIDGETS, TYPED, make, makeButton, find, idOf, say, api, call, keep, recall, recallAll, parse, ownKey, ownOf;
let isSeen, leadLater;

export default (tools) => {
  ({ SERVICE, WIDGETS, TYPED, make, makeButton, find, idOf, say, api, call, keep, recall, recallAll, parse } = tools);
  ({ ownKey, ownOf, isSeen, leadLater } = tools);
  return { Own, ReplyForm, changesOf, load };
};
