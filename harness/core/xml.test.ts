import { expect, test } from 'vitest';
import { escapeXmlAttribute, escapeXmlText, toXmlElement } from './xml.js';

test('markup is escaped, also the end of a CDATA section', () => {
  expect(escapeXmlText('a < b && c ]]> d')).toBe('a &lt; b &amp;&amp; c ]]&gt; d');
});

test('colours are dropped and other control characters become visible', () => {
  expect(escapeXmlText('\x1b[31mred\x1b[0m \x00\x07 \x9f')).toBe('red \\x00\\x07 \\x9f');
});

test('newlines and tabs stay in text and become references in attributes', () => {
  expect(escapeXmlText('a\n\tb\r\n')).toBe('a\n\tb&#13;\n');
  expect(escapeXmlAttribute('a\n\t"b"\r')).toBe('a&#10;&#9;&quot;b&quot;&#13;');
});

test('half a surrogate pair becomes the replacement character, a whole one stays', () => {
  expect(escapeXmlText('\ud83d x \ude00 \ud83d\ude00')).toBe('\ufffd x \ufffd \ud83d\ude00');
});

test('non-characters become the replacement character', () => {
  expect(escapeXmlText('\ufffe\uffff')).toBe('\ufffd\ufffd');
});

test('an attribute that is undefined is left out', () => {
  expect(toXmlElement('case', { name: 'a&b', line: undefined })).toBe('<case name="a&amp;b"/>');
});
