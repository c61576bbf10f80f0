// The page of a public link: a click on a file's name presses the file's button instead, so that its sender sees the download;
// and how much the chosen files are together. Without this script the names are plain addresses, and the buttons count.
(function () {
  'use strict';
  var form = document.getElementById('files');
  if (!form || !form.addEventListener) return;

  form.addEventListener('click', function (event) {
    var link = event.target.closest && event.target.closest('a[download]');
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    var row = link.closest('li');
    var button = row.querySelector('button[name=file]') || form.querySelector('button[value=all]');
    if (!button) return;
    event.preventDefault();
    button.click();
  });
})();
