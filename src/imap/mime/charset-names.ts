import iconv from 'iconv-lite';

/**
 * Names of the charsets of TextDecoder (the labels of the WHATWG Encoding Standard, as letters and digits alone). To ask
 * TextDecoder itself costs an exception for each name that is none, and one mail may have ten thousand.
 */
const platformLabels: readonly (readonly [string, string])[] = [
  ['utf-8', 'unicode11utf8 unicode20utf8 utf8 xunicode20utf8'],
  ['ibm866', '866 cp866 csibm866 ibm866'],
  ['iso-8859-2', 'csisolatin2 iso88592 isoir101 iso885921987 l2 latin2'],
  ['iso-8859-3', 'csisolatin3 iso88593 isoir109 iso885931988 l3 latin3'],
  ['iso-8859-4', 'csisolatin4 iso88594 isoir110 iso885941988 l4 latin4'],
  ['iso-8859-5', 'csisolatincyrillic cyrillic iso88595 isoir144 iso885951988'],
  [
    'iso-8859-6',
    'arabic asmo708 csiso88596e csiso88596i csisolatinarabic ecma114 iso88596 iso88596e iso88596i isoir127 iso885961987',
  ],
  ['iso-8859-7', 'csisolatingreek ecma118 elot928 greek greek8 iso88597 isoir126 iso885971987 suneugreek'],
  ['iso-8859-8', 'csiso88598e csisolatinhebrew hebrew iso88598 iso88598e isoir138 iso885981988 visual'],
  ['iso-8859-8-i', 'csiso88598i iso88598i logical'],
  ['iso-8859-10', 'csisolatin6 iso885910 isoir157 l6 latin6'],
  ['iso-8859-13', 'iso885913'],
  ['iso-8859-14', 'iso885914'],
  ['iso-8859-15', 'csisolatin9 iso885915 l9'],
  ['koi8-r', 'cskoi8r koi koi8 koi8r'],
  ['koi8-u', 'koi8ru koi8u'],
  ['macintosh', 'csmacintosh mac macintosh xmacroman'],
  ['windows-874', 'dos874 iso885911 tis620 windows874'],
  ['windows-1250', 'cp1250 windows1250 xcp1250'],
  ['windows-1251', 'cp1251 windows1251 xcp1251'],
  [
    'windows-1252',
    'ansix341968 ascii cp1252 cp819 csisolatin1 ibm819 iso88591 isoir100 iso885911987 l1 latin1 usascii windows1252 xcp1252',
  ],
  ['windows-1253', 'cp1253 windows1253 xcp1253'],
  ['windows-1254', 'cp1254 csisolatin5 iso88599 isoir148 iso885991989 l5 latin5 windows1254 xcp1254'],
  ['windows-1255', 'cp1255 windows1255 xcp1255'],
  ['windows-1256', 'cp1256 windows1256 xcp1256'],
  ['windows-1257', 'cp1257 windows1257 xcp1257'],
  ['windows-1258', 'cp1258 windows1258 xcp1258'],
  ['x-mac-cyrillic', 'xmaccyrillic xmacukrainian'],
  ['gbk', 'chinese csgb2312 csiso58gb231280 gb2312 gb231280 gbk isoir58 xgbk'],
  ['gb18030', 'gb18030'],
  ['big5', 'big5 big5hkscs cnbig5 csbig5 xxbig5'],
  ['euc-jp', 'cseucpkdfmtjapanese eucjp xeucjp'],
  ['iso-2022-jp', 'csiso2022jp iso2022jp'],
  ['shift_jis', 'csshiftjis ms932 mskanji shiftjis sjis windows31j xsjis'],
  ['euc-kr', 'cseuckr csksc56011987 euckr isoir149 korean ksc56011987 ksc56011989 ksc5601 windows949'],
  ['utf-16be', 'unicodefffe utf16be'],
  ['utf-16le', 'csunicode iso10646ucs2 ucs2 unicode unicodefeff utf16le utf16'],
];
const platformNames = new Map<string, string>();
for (const [name, labels] of platformLabels) for (const label of labels.split(' ')) platformNames.set(label, name);

/** Encodings that iconv-lite accepts as charsets, as Buffer does. */
const noCharsets = new Set(['base64', 'hex', 'binary', 'utf7imap']);

/** TextDecoder's name of a charset; undefined for one that it does not know. */
export function platformName(label: string): string | undefined {
  return platformNames.get(label.replace(/[^a-z0-9]/g, ''));
}

/** Read at the start: to load the tables that name them takes a tenth of a second. */
const iconvNames = namesOfIconv();

/** Whether iconv-lite knows a charset: above all the code pages of DOS, which TextDecoder does not know. */
export function isOfIconv(label: string): boolean {
  // As iconv-lite compares names; its own question costs an exception for each that is none.
  const name = label.toLowerCase().replace(/:\d{4}$|[^0-9a-z]/g, '');
  // Only a name of a charset loads its tables.
  return iconvNames.has(name) && iconv.encodingExists(name);
}

function namesOfIconv(): Set<string> {
  // The first question loads the names.
  iconv.encodingExists('utf-8');
  return new Set(Object.keys(iconv.encodings ?? {}).filter((name) => !noCharsets.has(name)));
}
