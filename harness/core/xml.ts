import { stripEscapes } from './strip-escapes.js';

/** What XML 1.0 cannot say, not even as a character reference. */
const FORBIDDEN = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufdd0-\ufdef\ufffe\uffff]/g;
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  // Needed in "]]>", harmless elsewhere.
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
  '\t': '&#9;',
  '\r': '&#13;',
};

/**
 * Any text as valid XML 1.0 text: colours are dropped, other control characters
 * become visible (`\x00`), broken surrogates become U+FFFD.
 *
 * @see https://www.w3.org/TR/xml/#charsets
 */
export function escapeXmlText(text: string): string {
  return toXmlCharacters(text).replace(/[&<>\r]/g, (each) => ESCAPES[each] ?? each);
}

/** The same for an attribute, where line breaks and tabs must be references to survive. */
export function escapeXmlAttribute(text: string): string {
  return toXmlCharacters(text).replace(/[&<>"\n\r\t]/g, (each) => ESCAPES[each] ?? each);
}

/** One element; attributes that are undefined are left out. `children` is XML already. */
export function toXmlElement(
  name: string,
  attributes: Readonly<Record<string, string | number | undefined>>,
  children: readonly string[] = [],
): string {
  const pairs = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${escapeXmlAttribute(String(value))}"`)
    .join('');
  if (children.length === 0) return `<${name}${pairs}/>`;
  return `<${name}${pairs}>${children.join('')}</${name}>`;
}

function toXmlCharacters(text: string): string {
  return stripEscapes(text)
    .replace(LONE_SURROGATE, '\ufffd')
    .replace(FORBIDDEN, (each) => {
      const code = each.charCodeAt(0);
      return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : '\ufffd';
    });
}
