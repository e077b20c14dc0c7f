/** Accounts, profiles and devices, as the gateway's REST surface has them. */
import { ask, get, part, send } from './ask'
import { screenKind, screenName } from './screen'
import type { Device, DeviceCode, Me, Profile, ProfileWords, Provider, SignUpWords } from './types'

export const getMe = (signal?: AbortSignal): Promise<Me> => get('/api/account', signal)
/** By which the account's owner knows this device again. */
const device = (): { deviceName: string; deviceKind: string } => ({ deviceName: screenName(navigator.userAgent), deviceKind: screenKind() })
export const signUp = (words: SignUpWords): Promise<Me> => send('POST', '/api/account/sign-up', { ...words, ...device() })
export const signIn = (email: string, password: string): Promise<Me> => send('POST', '/api/account/sign-in', { email, password, ...device() })
export const signOut = (): Promise<void> => send('POST', '/api/account/sign-out')
export const changeAccount = (change: { territory?: string; language?: string }): Promise<unknown> => send('PATCH', '/api/account', change)
export const deleteAccount = (password: string): Promise<void> => send('DELETE', '/api/account', { password })
/** All that is kept of the account, as a file to save. */
export const EXPORT_ADDRESS = '/api/account/export'

export const chooseProfile = (profile: string): Promise<Me> => send('POST', '/api/account/choose-profile', { profile })
export const addProfile = (words: ProfileWords): Promise<Profile> => send('POST', '/api/account/profiles', words)
export const changeProfile = (id: string, words: ProfileWords): Promise<Profile> => send('PUT', `/api/account/profiles/${part(id)}`, words)
export const deleteProfile = (id: string): Promise<void> => ask(`/api/account/profiles/${part(id)}`, { method: 'DELETE' })

export const verifyEmail = (token: string): Promise<void> => send('POST', '/api/account/verify', { token })
export const resendVerification = (): Promise<void> => send('POST', '/api/account/resend-verification')
export const forgotPassword = (email: string): Promise<void> => send('POST', '/api/account/forgot-password', { email })
export const resetPassword = (token: string, password: string): Promise<void> => send('POST', '/api/account/reset-password', { token, password })
export const changePassword = (current: string, password: string): Promise<void> => send('POST', '/api/account/password', { current, password })

export const listDevices = async (signal?: AbortSignal): Promise<Device[]> => listOf(await get('/api/account/devices', signal), 'devices')
export const signOutDevice = (id: string): Promise<void> => ask(`/api/account/devices/${part(id)}`, { method: 'DELETE' })

/** Sign-in by code (RFC 8628): for screens without a keyboard. */
export const startDeviceCode = (name: string, kind: string): Promise<DeviceCode> => send('POST', '/api/device/code', { name, kind })
/** Refused with code "authorization_pending" or "slow_down" until somebody approved. */
export const pollDeviceCode = (deviceCode: string): Promise<unknown> => send('POST', '/api/device/token', { deviceCode })
export const approveDevice = (userCode: string, deny: boolean): Promise<void> => send('POST', '/api/device/approve', { userCode, deny })

export const listProviders = async (signal?: AbortSignal): Promise<Provider[]> => listOf(await get('/api/openid/providers', signal), 'providers')
export const openIdStart = (provider: string): string => `/api/openid/${part(provider)}/start`

/** A list that stands alone or under its name. */
export function listOf<T>(answer: unknown, name: string): T[] {
  if (Array.isArray(answer)) return answer as T[]
  const inner = (answer as Record<string, unknown> | null)?.[name]
  return Array.isArray(inner) ? (inner as T[]) : []
}
