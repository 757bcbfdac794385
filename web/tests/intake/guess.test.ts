// What a seat means by what was typed into the caller's field.
import { describe, expect, it } from 'vitest';
import { guesses, isAddress, parseHash, phoneIn, samePhone, withoutPhones } from '../../src/intake/call/guess';

describe('guess', () => {
  it('takes a phone for a phone, however it was written, and tries it as a household number next', () => {
    expect(guesses('138 0013-8000')[0]).toEqual({ phone: '13800138000' });
    expect(guesses('+86 13800138000')[0]).toEqual({ phone: '8613800138000' });
    expect(guesses('１３８００１３８０００')[0]).toEqual({ phone: '13800138000' });
    expect(guesses('0451-8888 6666')[0]).toEqual({ phone: '045188886666' });
    expect(guesses('13800138000')[1]).toEqual({ household: '13800138000' });
  });

  it('takes other numbers for household numbers first', () => {
    expect(guesses('1000000123')).toEqual([{ household: '1000000123' }, { phone: '1000000123' }]);
    expect(guesses('HR-00123')).toEqual([{ household: 'HR-00123' }]);
  });

  it('takes words for a name, and looks nobody up for an address or for nothing', () => {
    expect(guesses(' 王建国 ')).toEqual([{ name: '王建国' }]);
    expect(guesses('Mary Smith')).toEqual([{ name: 'Mary Smith' }]);
    expect(guesses('经纬街128号')).toEqual([]);
    expect(guesses('   ')).toEqual([]);
    expect([isAddress('经纬街一百二十八号'), isAddress('128 Main St'), isAddress('王建国')]).toEqual([true, true, false]);
  });

  it('keeps only a phone as the caller’s phone', () => {
    expect([phoneIn('138-0013-8000'), phoneIn('1000000123'), phoneIn('王建国')]).toEqual(['13800138000', null, null]);
  });

  it('knows a number again however it was written, and keeps it out of addresses', () => {
    expect([samePhone('138-0013-8000', '+8613800138000'), samePhone(null, ''), samePhone('', '')]).toEqual([true, false, false]);
    expect(withoutPhones('经纬街128号 13800138000 王')).toBe('经纬街128号   王');
    expect(withoutPhones('1000000123')).toBe('1000000123');
  });

  it('reads what a telephone system hands over', () => {
    expect(parseHash('#call?phone=%2B8613800138000')).toEqual({ view: 'call', phone: '+8613800138000' });
    expect(parseHash('#cases/260114-C1')).toEqual({ view: 'cases/260114-C1', phone: null });
    expect(parseHash('')).toEqual({ view: '', phone: null });
  });
});
